// A secret key of 32 bytes, written as 64 hexadecimal digits.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"

namespace rltune::vault {

class Key {
 public:
  // 64 hexadecimal digits. Errors: parse.
  static Result<Key> parse(std::string_view digits);
  // A new one, by the system's random numbers. Errors: internal.
  static Result<Key> make();
  // The same into a new file (0600). Errors: io; invalid_argument where the file exists.
  static Result<> make_file(const std::filesystem::path& file);
  ~Key();
  Key(const Key&) = default;
  Key& operator=(const Key&) = default;
  Key(Key&& other) noexcept;
  Key& operator=(Key&& other) noexcept;

  const unsigned char* data() const noexcept { return bytes_.data(); }
  std::string digits() const;
  // Tells keys apart and says nothing about them: BLAKE2b of `what`, keyed with the key, `size` bytes from 16 to 64.
  std::string name(std::string_view what, std::size_t size) const;

 private:
  Key() = default;
  std::array<unsigned char, 32> bytes_{};
};

}  // namespace rltune::vault
