// Any text is a node path or a refusal; a path written and read again has the same meaning among its readings.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "node_path.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune::plant;
  const auto readings = parse_node_path({reinterpret_cast<const char*>(data), size});
  if (!readings) return 0;
  if (readings->empty()) std::abort();
  for (const auto& reading : *readings) {
    const auto again = parse_node_path(format_node_path(reading));
    // A text of 4096 characters may grow past the limit when its URI is escaped.
    if (again && !std::ranges::contains(*again, reading)) std::abort();
  }
  return 0;
}
