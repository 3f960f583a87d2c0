// HMAC-SHA256 under a key that this process made when it started and tells nobody.
//
// Threads: any.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace rltune::gateway {

class KeyedHash {
 public:
  KeyedHash();

  // 64 hexadecimal digits.
  std::string of(std::string_view text) const;
  // In the same time wherever they differ.
  bool is(std::string_view shown, std::string_view text) const;

 private:
  std::array<unsigned char, 32> key_{};
};

}  // namespace rltune::gateway
