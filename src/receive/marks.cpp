#include "marks.hpp"

#include <format>
#include <nlohmann/json.hpp>

#include "received.hpp"
#include "rltune/base/crc32c.hpp"
#include "rltune/base/log.hpp"

namespace rltune::receive {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kReadBytes = 1UZ << 20U;

Json to_json(const StreamMarks& marks) {
  Json taken = Json::object();
  for (const auto& [source, spans] : marks.taken) {
    Json& list = taken[source] = Json::array();
    for (const auto& [first, last] : spans.all()) list.push_back({first, last});
  }
  return {{"upto", marks.upto}, {"taken", std::move(taken)}};
}

StreamMarks from_json(const Json& json) {
  StreamMarks marks{.upto = json.at("upto"), .taken = {}};
  for (const auto& source : json.at("taken").items())
    for (const Json& span : source.value())
      marks.taken[source.key()].add({span.at(0).get<std::uint64_t>(), span.at(1).get<std::uint64_t>()});
  return marks;
}

}  // namespace

std::string to_text(const Marks& marks) {
  Json json = Json::object();
  for (const auto& [stream, of] : marks) json[stream] = to_json(of);
  const std::string body = json.dump() + "\n";
  return std::format("RLTRCV1 {:08x}\n", crc32c(body)) + body;
}

Result<Marks> parse_marks(std::string_view text) {
  const std::size_t line = text.find('\n');
  const std::string_view body = line == std::string_view::npos ? "" : text.substr(line + 1);
  if (body.empty() || text.substr(0, line) != std::format("RLTRCV1 {:08x}", crc32c(body)))
    return fail(Errc::corrupt, "the checksum of the marks does not fit");
  Marks marks;
  try {
    const Json json = Json::parse(body);
    for (const auto& item : json.items()) marks[item.key()] = from_json(item.value());
  } catch (const Json::exception& error) {
    return fail(Errc::corrupt, error.what());
  }
  return marks;
}

Result<> catch_up(StreamMarks& marks, telemetry::RecordSource& buffer) {
  std::uint64_t next = std::max(marks.upto + 1, buffer.floor());
  while (next <= buffer.acknowledged()) {
    const auto batch = buffer.read(next, kReadBytes);
    if (!batch) return std::unexpected(batch.error());
    for (const telemetry::StoredRecord& stored : batch->records) {
      const auto received = parse_received(stored.payload);
      if (received)
        marks.taken[received->source].add(received->covers);
      else
        log::error(received.error().message, {{"sequence", std::to_string(stored.sequence)}});
    }
    if (batch->next <= next) break;
    next = batch->next;
  }
  marks.upto = std::max(marks.upto, next - 1);
  return {};
}

}  // namespace rltune::receive
