#include <cstdint>
#include <string_view>

#include "rltune/env/weather.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto utc = rltune::env::parse_weather_csv(text, "fuzz");
  const auto zoned = rltune::env::parse_weather_csv(text, "fuzz", {.time_zone = "Europe/Amsterdam"});
  if (utc && utc->rows.empty()) __builtin_trap();
  if (zoned && zoned->rows.empty()) __builtin_trap();
  return 0;
}
