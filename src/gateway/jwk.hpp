// A public key of a provider (RFC 7517), and whether it has signed something. Three algorithms, each for one kind of
// key, so that no token chooses how it is looked at: RS256 (2048 bits and more), ES256, EdDSA with Ed25519.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "rltune/api/json.hpp"

struct evp_pkey_st;

namespace rltune::gateway {

enum class Algorithm : std::uint8_t { rs256, es256, eddsa };

// "RS256", "ES256", "EdDSA", "Ed25519" (RFC 9864). nullopt: another one; "none" is one of those.
std::optional<Algorithm> parse_algorithm(std::string_view name);

class Jwk {
 public:
  // nullopt: of a kind that is not used here, too weak, or not whole. A key set may hold such keys (RFC 7517, 5).
  static std::optional<Jwk> read(const api::Json& key);

  const std::string& id() const noexcept { return id_; }  // empty: it has none
  Algorithm algorithm() const noexcept { return algorithm_; }
  bool verify(std::string_view message, std::string_view signature) const;

 private:
  Jwk(std::string id, Algorithm algorithm, std::shared_ptr<evp_pkey_st> key);

  std::string id_;
  Algorithm algorithm_;
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace rltune::gateway
