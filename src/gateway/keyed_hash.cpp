#include "keyed_hash.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include <format>

#include "rltune/access/secret.hpp"
#include "rltune/base/check.hpp"

namespace rltune::gateway {

KeyedHash::KeyedHash() { RLTUNE_CHECK(::getrandom(key_.data(), key_.size(), 0) == static_cast<ssize_t>(key_.size())); }

std::string KeyedHash::of(std::string_view text) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  RLTUNE_CHECK(::HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
                      reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(),
                      &size) != nullptr);
  std::string hash;
  for (unsigned i = 0; i < size; ++i) hash += std::format("{:02x}", digest[i]);
  return hash;
}

bool KeyedHash::is(std::string_view shown, std::string_view text) const { return access::same_hash(shown, of(text)); }

}  // namespace rltune::gateway
