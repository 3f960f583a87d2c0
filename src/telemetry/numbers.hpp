// Numbers in files: little-endian, as they stand in memory.
#pragma once

#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>

namespace rltune::telemetry {

static_assert(std::endian::native == std::endian::little);

template <typename Number>
void put_number(std::string& to, Number number) {
  std::array<char, sizeof number> bytes{};
  std::memcpy(bytes.data(), &number, sizeof number);
  to.append(bytes.data(), bytes.size());
}

// REQUIRES: it is there.
template <typename Number>
Number number_at(std::string_view bytes, std::size_t at) noexcept {
  Number number{};
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

}  // namespace rltune::telemetry
