#include <cstdint>
#include <string_view>

#include "rltune/env/randomisation.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto plant = *rltune::env::make_plant("lettuce", 1);
  const auto parsed =
      rltune::env::parse_randomisation({reinterpret_cast<const char*>(data), size}, "fuzz", plant->spec());
  if (parsed && !rltune::env::check_randomisation(*parsed, plant->spec())) __builtin_trap();
  return 0;
}
