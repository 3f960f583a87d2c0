// Outside bytes as a sample. What is taken is written and read again as it is, to the same bytes.
#include <cstdint>
#include <cstdlib>

#include "rltune/telemetry/metric_sample.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune::telemetry;
  const auto sample = parse_metric({reinterpret_cast<const char*>(data), size});
  if (!sample) return 0;
  const std::string payload = to_payload(*sample);
  const auto again = parse_metric(payload);
  if (!again || to_payload(*again) != payload) std::abort();
  return 0;
}
