// One Ed25519 key.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"

namespace rltune::access {

class SigningKey {
 public:
  static SigningKey make();
  // As RFC 8037 writes the private key ("d"). Errors: corrupt.
  static Result<SigningKey> from_seed(std::string_view base64url);
  ~SigningKey();
  SigningKey(const SigningKey&) = default;
  SigningKey& operator=(const SigningKey&) = default;

  const std::string& id() const noexcept { return id_; }  // RFC 7638: the thumbprint
  const std::string& x() const noexcept { return x_; }    // RFC 8037: the public key
  std::string seed() const;
  // 64 bytes.
  std::string sign(std::string_view message) const;
  bool verify(std::string_view message, std::string_view signature) const noexcept;

 private:
  explicit SigningKey(const std::array<unsigned char, 32>& seed);

  std::array<unsigned char, 64> secret_{};
  std::array<unsigned char, 32> public_{};
  std::string id_, x_;
};

}  // namespace rltune::access
