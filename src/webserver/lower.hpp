// Names in HTTP do not tell capitals from small letters.
#pragma once

#include <string>
#include <string_view>

namespace rltune::webserver {

constexpr char lower(char one) { return one >= 'A' && one <= 'Z' ? static_cast<char>(one + ('a' - 'A')) : one; }

inline std::string lower(std::string_view text) {
  std::string out(text);
  for (char& one : out) one = lower(one);
  return out;
}

}  // namespace rltune::webserver
