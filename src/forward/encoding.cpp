#include "encoding.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <format>
#include <sstream>

#include "json_text.hpp"
#include "rltune/forward/gateway.hpp"

namespace rltune::forward {
namespace {

// What is said of the key, the address or the request as such, and not of the records in it: a person has to change
// something, here or over there.
constexpr std::array kDenied{401L, 402L, 403L, 404L, 405L, 406L, 407L, 410L, 411L, 415L, 421L, 426L, 451L};
constexpr std::array kAgain{408L, 425L, 429L};

class GatewayEncoding final : public Encoding {
 public:
  Encoded encode(const Batch& batch) const override {
    Encoded encoded{.content_type = "application/json", .headers = {{"Idempotency-Key", batch.id()}}};
    Batch fit = batch;
    std::erase_if(fit.records, [&](const Record& record) {
      if (is_object(record.entry)) return false;
      encoded.unfit.push_back({record.sequence, "the record is no JSON object"});
      return true;
    });
    if (!fit.records.empty()) encoded.body = to_gateway(fit);
    return encoded;
  }

  // {"refused":[{"id":"...","reason":"..."}]}; another answer says nothing of the kind.
  Outcome judge(const Batch& batch, const http::Response& response) const override {
    Outcome outcome;
    const Document document = parse_json(response.body);
    yyjson_val* refused = document ? field(yyjson_doc_get_root(document.get()), "refused") : nullptr;
    if (!yyjson_is_arr(refused)) return outcome;
    yyjson_arr_iter iterator = yyjson_arr_iter_with(refused);
    while (yyjson_val* item = yyjson_arr_iter_next(&iterator)) {
      const auto record = std::ranges::find(batch.records, text_of(field(item, "id")), &Record::id);
      if (record != batch.records.end())
        outcome.refused.push_back({record->sequence, std::string(text_of(field(item, "reason")))});
    }
    return outcome;
  }
};

constexpr std::chrono::seconds kLongestWish{86'400};

// RFC 9110, 10.2.3: seconds, or a date. In seconds: the year 9999 has no nanoseconds of ours.
std::optional<Duration> retry_after(const http::Response& response, TimePoint now) {
  const auto header = response.headers.find("retry-after");
  if (header == response.headers.end()) return std::nullopt;
  const std::string& text = header->second;
  long seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size() && seconds >= 0)
    return std::min(std::chrono::seconds(seconds), kLongestWish);
  std::istringstream stream(text);
  std::chrono::sys_seconds date;
  if (stream >> std::chrono::parse("%a, %d %b %Y %T GMT", date)) {
    const std::chrono::seconds left = date - std::chrono::floor<std::chrono::seconds>(now);
    return std::clamp(left, std::chrono::seconds(0), kLongestWish);
  }
  return std::nullopt;
}

}  // namespace

std::unique_ptr<Encoding> make_gateway_encoding() { return std::make_unique<GatewayEncoding>(); }

std::unique_ptr<Encoding> make_encoding(const config::Sink& sink) {
  if (sink.kind == "gateway") return make_gateway_encoding();
  if (sink.kind == "opensearch") return make_opensearch_encoding(sink.index);
  if (sink.kind == "remote_write") return make_remote_write_encoding();
  if (sink.kind == "influx") return make_influx_encoding();
  if (sink.kind == "otlp") return make_otlp_encoding();
  return nullptr;
}

Outcome judge_status(const http::Response& response, const std::string& host, const std::string& seen, TimePoint now) {
  using Kind = Outcome::Kind;
  const auto among = [&](const auto& list) { return std::ranges::find(list, response.status) != list.end(); };
  Outcome outcome{
      .kind = Kind::refused,
      .reason = std::format("{} answers with status {}{}{}", host, response.status, seen.empty() ? "" : ": ", seen),
      .retry_after = retry_after(response, now)};
  if (among(kDenied) || response.status < 400) outcome.kind = Kind::denied;
  if (among(kAgain) || response.status >= 500) outcome.kind = Kind::again;
  return outcome;
}

}  // namespace rltune::forward
