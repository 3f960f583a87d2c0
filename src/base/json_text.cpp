#include "rltune/base/json_text.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>

#include "rltune/base/utf8.hpp"

namespace rltune {
namespace {

// Bytes of eight in which a bit says that it has to be escaped: below 0x20, a quote, a backslash. Higher ones may be
// set without a reason, behind one that is (the carry of a subtraction).
constexpr std::uint64_t escaped_of(std::uint64_t eight) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101U, kHighs = 0x80 * kOnes;
  const std::uint64_t quotes = eight ^ (kOnes * '"'), slashes = eight ^ (kOnes * '\\');
  return (((eight - kOnes * 0x20) & ~eight) | ((quotes - kOnes) & ~quotes) | ((slashes - kOnes) & ~slashes)) & kHighs;
}

// How many bytes from the front are written as they are.
std::size_t plain_bytes(std::string_view text) noexcept {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data() + at, 8);
    if (const std::uint64_t escaped = escaped_of(eight); escaped != 0)
      return at + static_cast<std::size_t>(std::countr_zero(escaped)) / 8;
  }
  for (; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x20 || c == '"' || c == '\\') break;
  }
  return at;
}

constexpr std::string_view kPlain = "\"\\\b\f\n\r\t", kShort = "\"\\bfnrt", kHex = "0123456789ABCDEF";

void append_escape(std::string& to, char c) {
  const auto at = kPlain.find(c);
  if (at != std::string_view::npos) {
    to += '\\';
    to += kShort[at];
    return;
  }
  to += "\\u00";
  to += kHex[static_cast<unsigned char>(c) >> 4U];
  to += kHex[static_cast<unsigned char>(c) & 0xFU];
}

void append_escaped(std::string& to, std::string_view text) {
  while (!text.empty()) {
    const std::size_t plain = plain_bytes(text);
    to += text.substr(0, plain);
    if (plain == text.size()) return;
    append_escape(to, text[plain]);
    text.remove_prefix(plain + 1);
  }
}

}  // namespace

void append_json_text(std::string& to, std::string_view text) {
  const std::size_t plain = plain_bytes(text), before = to.size();
  // Nearly always all of it.
  to.resize_and_overwrite(before + plain + 2, [&](char* bytes, std::size_t size) {
    bytes[before] = '"';
    std::memcpy(bytes + before + 1, text.data(), plain);
    bytes[size - 1] = '"';
    return size;
  });
  if (plain == text.size()) return;
  to.pop_back();
  append_escaped(to, text.substr(plain));
  to += '"';
}

void append_any_json_text(std::string& to, std::string_view text) {
  if (is_utf8(text)) return append_json_text(to, text);
  to += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string unescaped_json_text(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      plain += text[at];
      continue;
    }
    const auto known = kShort.find(text[++at]);
    if (known != std::string_view::npos) {
      plain += kPlain[known];
    } else if (text.size() - at >= 5) {  // u00XX
      plain += static_cast<char>(kHex.find(text[at + 3]) * 16 + kHex.find(text[at + 4]));
      at += 4;
    }
  }
  return plain;
}

}  // namespace rltune
