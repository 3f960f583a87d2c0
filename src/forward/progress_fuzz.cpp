// Outside bytes as a slot of a forwarder's progress. What is taken is written as it was read.
#include <cstdint>
#include <cstdlib>

#include "progress.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rltune::forward;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto slot = parse_slot(bytes)) {
    const auto again = parse_slot(to_bytes(*slot));
    if (!again || again->place != slot->place || again->count != slot->count) std::abort();
  }
  return 0;
}
