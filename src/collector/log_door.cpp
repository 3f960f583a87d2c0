#include "log_door.hpp"

#include <format>
#include <nlohmann/json.hpp>
#include <optional>

#include "rltune/forward/gzip.hpp"
#include "rltune/telemetry/log_entry.hpp"
#include "rltune/telemetry/otlp_logs.hpp"

namespace rltune::collector {
namespace {

constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;

webserver::Response refusal(const std::vector<telemetry::EntryFault>& faults) {
  auto response = webserver::problem(400, "nothing was taken: " + std::to_string(faults.size()) +
                                              (faults.size() == telemetry::kFaultsMax ? " faults or more" : " faults"));
  auto body = nlohmann::ordered_json::parse(response.body);
  for (const auto& fault : faults)
    body["errors"].push_back({{"entry", fault.entry}, {"field", fault.field}, {"message", fault.message}});
  response.body = body.dump(-1, ' ', false, kReplace);
  return response;
}

// Too much at once, or a disk that is full or failed.
webserver::Response later(const Error& error, int status) {
  auto response = webserver::problem(status, error.message);
  response.headers["Retry-After"] = "1";
  return response;
}

webserver::Response answer_of(const Result<telemetry::SequenceRange>& durable) {
  if (!durable) return later(durable.error(), 503);
  return {.status = 202,
          .body = std::format(R"({{"accepted":{},"first":{},"last":{}}})", durable->count(), durable->first,
                              durable->last)};
}

// An exporter of OpenTelemetry speaks to the same path.
std::optional<telemetry::OtlpEncoding> otlp_of(const webserver::Request& request, std::string_view body) {
  const auto type = request.headers.find("content-type");
  if (type == request.headers.end()) return std::nullopt;
  const auto encoding = telemetry::otlp_encoding(type->second);
  if (!encoding) return std::nullopt;
  if (*encoding == telemetry::OtlpEncoding::json && !body.substr(0, 64).contains("\"resourceLogs\""))
    return std::nullopt;
  return *encoding;
}

void take_entries(telemetry::Intake& logs, std::string_view body, const webserver::Reply& reply) {
  auto parsed = telemetry::parse_entries(body);
  if (!parsed.faults.empty()) return reply(refusal(parsed.faults));
  auto taken = logs.submit(std::move(parsed.payloads),
                           [reply](const Result<telemetry::SequenceRange>& durable) { reply(answer_of(durable)); });
  if (!taken) reply(later(taken.error(), 429));
}

void take_otlp(telemetry::Intake& logs, std::string_view body, telemetry::OtlpEncoding encoding, TimePoint now,
               const webserver::Reply& reply) {
  auto parsed = telemetry::parse_otlp_logs(body, encoding, now);
  if (!parsed) return reply(webserver::problem(400, parsed.error().message));
  const bool json = encoding == telemetry::OtlpEncoding::json;
  webserver::Response answer{.body = otlp_answer(*parsed, encoding),
                             .type = json ? "application/json" : "application/x-protobuf"};
  if (parsed->payloads.empty()) return reply(std::move(answer));
  auto taken = logs.submit(std::move(parsed->payloads),
                           [reply, answer = std::move(answer)](const Result<telemetry::SequenceRange>& durable) {
                             reply(durable ? answer : later(durable.error(), 503));
                           });
  if (!taken) reply(later(taken.error(), 429));
}

void take_plain(telemetry::Intake& logs, const webserver::Request& request, std::string_view body, TimePoint now,
                const webserver::Reply& reply) {
  const auto otlp = otlp_of(request, body);
  return otlp ? take_otlp(logs, body, *otlp, now, reply) : take_entries(logs, body, reply);
}

}  // namespace

void take_logs(telemetry::Intake& logs, const webserver::Request& request, TimePoint now,
               const webserver::Reply& reply) {
  const auto encoding = request.headers.find("content-encoding");
  if (encoding == request.headers.end() || encoding->second == "identity")
    return take_plain(logs, request, request.body, now, reply);
  if (encoding->second != "gzip") return reply(webserver::problem(415, "Content-Encoding: gzip, or none"));
  const auto body = forward::gunzip(request.body, kBodyBytesMax);
  if (body) return take_plain(logs, request, *body, now, reply);
  reply(webserver::problem(body.error().code == Errc::no_space ? 413 : 400, body.error().message));
}

}  // namespace rltune::collector
