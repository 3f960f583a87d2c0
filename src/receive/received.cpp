#include "received.hpp"

#include <format>
#include <nlohmann/json.hpp>

namespace rltune::receive {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

std::vector<Received> received_of(const forward::Batch& batch) {
  std::vector<Received> all;
  std::uint64_t first = batch.range.first;
  for (const forward::Record& record : batch.records) {
    all.push_back({batch.buffer_id, {first, record.sequence}, record});
    first = record.sequence + 1;
  }
  if (!all.empty()) all.back().covers.last = batch.range.last;
  return all;
}

std::string to_payload(const Received& received) {
  const forward::Record& record = received.record;
  // Names and ids hold nothing that JSON would have to escape; the entry is JSON already.
  return std::format(
      R"({{"source":"{}","sequence":{},"covers":[{},{}],"id":"{}","site":"{}","received":{},"entry":{}}})",
      received.source, record.sequence, received.covers.first, received.covers.last, record.id, record.site,
      record.unix_ns, record.entry);
}

Result<Received> parse_received(std::string_view payload) {
  const Json json = Json::parse(payload, nullptr, false);
  try {
    const Json& covers = json.at("covers");
    return Received{json.at("source"),
                    {covers.at(0).get<std::uint64_t>(), covers.at(1).get<std::uint64_t>()},
                    {.sequence = json.at("sequence"),
                     .id = json.at("id"),
                     .site = json.at("site"),
                     .unix_ns = json.at("received"),
                     .entry = json.at("entry").dump()}};
  } catch (const Json::exception& error) {
    return fail(Errc::corrupt, std::format("a received record cannot be read: {}", error.what()));
  }
}

}  // namespace rltune::receive
