#include <cstdint>
#include <string_view>

#include "rltune/env/weather.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto weather = rltune::env::parse_weather_epw({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (weather && weather->rows.empty()) __builtin_trap();
  return 0;
}
