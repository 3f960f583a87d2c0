#include "signing_key.hpp"

#include <sodium.h>

#include <algorithm>
#include <format>

#include "rltune/access/base64url.hpp"
#include "rltune/base/check.hpp"

namespace rltune::access {
namespace {

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string thumbprint(const std::string& x) {
  const std::string canonical = std::format(R"({{"crv":"Ed25519","kty":"OKP","x":"{}"}})", x);
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  ::crypto_hash_sha256(digest.data(), bytes_of(canonical), canonical.size());
  return to_base64url(digest);
}

}  // namespace

SigningKey::SigningKey(const std::array<unsigned char, 32>& seed) {
  RLTUNE_CHECK(::sodium_init() >= 0);
  ::crypto_sign_seed_keypair(public_.data(), secret_.data(), seed.data());
  x_ = to_base64url(public_);
  id_ = thumbprint(x_);
}

SigningKey::~SigningKey() { ::sodium_memzero(secret_.data(), secret_.size()); }

SigningKey SigningKey::make() {
  RLTUNE_CHECK(::sodium_init() >= 0);
  std::array<unsigned char, 32> seed{};
  ::randombytes_buf(seed.data(), seed.size());
  const SigningKey key(seed);
  ::sodium_memzero(seed.data(), seed.size());
  return key;
}

Result<SigningKey> SigningKey::from_seed(std::string_view base64url) {
  auto bytes = from_base64url(base64url);
  std::array<unsigned char, 32> seed{};
  if (!bytes || bytes->size() != seed.size()) return fail(Errc::corrupt, "it is no private Ed25519 key");
  std::ranges::copy(*bytes, seed.begin());
  ::sodium_memzero(bytes->data(), bytes->size());
  return SigningKey(seed);
}

std::string SigningKey::seed() const {
  std::array<unsigned char, 32> seed{};
  ::crypto_sign_ed25519_sk_to_seed(seed.data(), secret_.data());
  return to_base64url(seed);
}

std::string SigningKey::sign(std::string_view message) const {
  std::string signature(crypto_sign_BYTES, '\0');
  ::crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, bytes_of(message), message.size(),
                         secret_.data());
  return signature;
}

bool SigningKey::verify(std::string_view message, std::string_view signature) const noexcept {
  return signature.size() == crypto_sign_BYTES &&
         ::crypto_sign_verify_detached(bytes_of(signature), bytes_of(message), message.size(), public_.data()) == 0;
}

}  // namespace rltune::access
