#include "rltune/base/sha256.hpp"

#include <openssl/evp.h>

#include <array>

#include "rltune/base/check.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/sha256_sum.hpp"

namespace rltune {
namespace {

using Digest = std::array<unsigned char, 32>;

std::string hexadecimal(const Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0x0F];
  }
  return text;
}

}  // namespace

std::string sha256(std::string_view bytes) {
  Digest digest{};
  unsigned int size = 0;
  RLTUNE_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  return hexadecimal(digest);
}

Result<std::string> sha256_file(const std::filesystem::path& path) {
  return read_file(path).transform([](const std::string& bytes) { return sha256(bytes); });
}

void Sha256::Free::operator()(evp_md_ctx_st* state) const noexcept { EVP_MD_CTX_free(state); }

Sha256::Sha256() : state_(EVP_MD_CTX_new()) {
  RLTUNE_CHECK(state_ != nullptr && EVP_DigestInit_ex(state_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::add(std::string_view bytes) {
  RLTUNE_CHECK(EVP_DigestUpdate(state_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::digits() {
  Digest digest{};
  unsigned int size = 0;
  RLTUNE_CHECK(EVP_DigestFinal_ex(state_.get(), digest.data(), &size) == 1);
  return hexadecimal(digest);
}

}  // namespace rltune
