// Whether text is UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing beyond U+10FFFF.
#pragma once

#include <cstdint>
#include <string_view>

namespace rltune {

// How many bytes the character at the start of `text` has; 0: this is no UTF-8. REQUIRES: it is not empty.
constexpr std::size_t utf8_length(std::string_view text, std::uint32_t& character) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return character = first, 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  character = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    character = character << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = character >= 0xD800 && character <= 0xDFFF;
  return character < kSmallest[length] || character > 0x10FFFF || surrogate ? 0 : length;
}

constexpr bool is_utf8(std::string_view text) noexcept {
  for (std::uint32_t character = 0; !text.empty();) {
    const std::size_t length = utf8_length(text, character);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace rltune
