#include "rltune/base/sha256.hpp"

#include <openssl/evp.h>

#include <array>

#include "rltune/base/check.hpp"
#include "rltune/base/file.hpp"

namespace rltune {

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  unsigned int size = 0;
  RLTUNE_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(64);
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0x0F];
  }
  return text;
}

Result<std::string> sha256_file(const std::filesystem::path& path) {
  return read_file(path).transform([](const std::string& bytes) { return sha256(bytes); });
}

}  // namespace rltune
