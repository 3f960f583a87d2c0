// Outside bytes as a gateway's batch. What is taken is written and taken again, to the same.
#include <cstdint>
#include <cstdlib>

#include "rltune/forward/gateway.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune::forward;
  const auto batch = parse_gateway({reinterpret_cast<const char*>(data), size});
  if (!batch) return 0;
  const std::string text = to_gateway(*batch);
  const auto again = parse_gateway(text);
  if (!again || to_gateway(*again) != text || again->records.empty()) std::abort();
  return 0;
}
