// What receivers answer to a batch: whatever they say, only records of that batch are refused.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include "encoding.hpp"

namespace {

using namespace rltune::forward;

Batch some_batch() {
  Batch batch{.buffer_id = "b", .site = "north", .stream = "logs", .range = {5, 7}, .records = {}};
  for (std::uint64_t sequence = 5; sequence <= 7; ++sequence)
    batch.records.push_back({sequence, record_id("b", "logs", sequence), "north", 1, R"({"message":"x"})"});
  return batch;
}

void check(const Batch& batch, const Outcome& outcome) {
  for (const RecordFault& fault : outcome.refused)
    if (!std::ranges::contains(batch.records, fault.sequence, &Record::sequence)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Batch batch = some_batch();
  static const std::array encodings{make_gateway_encoding(), make_opensearch_encoding("logs"),
                                    make_remote_write_encoding(), make_influx_encoding(), make_otlp_encoding()};
  if (size < 2) return 0;
  rltune::http::Response response{.status = 200, .headers = {}, .body = {}};
  response.body.assign(reinterpret_cast<const char*>(data) + 2, size - 2);
  response.headers["content-type"] = data[1] % 2 == 0 ? "application/json" : "application/x-protobuf";
  check(batch, encodings[data[0] % encodings.size()]->judge(batch, response));
  response.status = 400 + data[1];
  response.headers["retry-after"] = response.body.substr(0, 40);
  (void)judge_status(response, "cloud", response.body, rltune::TimePoint{});
  return 0;
}
