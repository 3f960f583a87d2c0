// Outside bytes as weather: as text, and as a file, which may be packed.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <format>
#include <string_view>

#include "rltune/env/weather.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto utc = rltune::env::parse_weather_csv(text, "fuzz");
  const auto zoned = rltune::env::parse_weather_csv(text, "fuzz", {.time_zone = "Europe/Amsterdam"});
  if (utc && utc->rows.empty()) __builtin_trap();
  if (zoned && zoned->rows.empty()) __builtin_trap();

  const int file = ::memfd_create("weather", MFD_CLOEXEC);
  if (::write(file, data, size) != static_cast<ssize_t>(size)) std::abort();
  const auto loaded = rltune::env::load_weather_csv(std::format("/proc/self/fd/{}", file));
  ::close(file);
  if (loaded && loaded->rows.empty()) __builtin_trap();
  return 0;
}
