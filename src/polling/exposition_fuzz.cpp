// Outside bytes as what an endpoint answers. Every sample of what is taken is one that the buffer's reader takes.
#include <cstdint>
#include <cstdlib>

#include "rltune/polling/exposition.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune;
  const auto samples = polling::parse_exposition({reinterpret_cast<const char*>(data), size}, 1000);
  if (!samples) return 0;
  for (const telemetry::MetricSample& sample : *samples) {
    const std::string payload = telemetry::to_payload(sample);
    const auto again = telemetry::parse_metric(payload);
    if (!again || telemetry::to_payload(*again) != payload) std::abort();
  }
  return 0;
}
