// What a provider of OpenID Connect says of itself, read strictly: bounded, and nothing taken that would lead us or a
// browser anywhere but to HTTPS. Fields that we have no use for are passed by, since providers have many.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jwk.hpp"
#include "rltune/base/error.hpp"

namespace rltune::gateway {

inline constexpr std::size_t kProviderBytesMax = std::size_t{256} << 10U;

// OpenID Connect Discovery 1.0.
struct ProviderEndpoints {
  std::string authorization, token, keys;  // https://...
  bool secret_in_body = false;             // the client's; else in the header Authorization
  bool names_issuer = false;               // its answers in the browser say whose they are (RFC 9207)
};

// Errors: parse; mismatch: it is another's.
Result<ProviderEndpoints> read_discovery(std::string_view text, std::string_view issuer);
// At most 64. Errors: parse; not_found: none in it is of use.
Result<std::vector<Jwk>> read_key_set(std::string_view text);
// Of the answer of its token endpoint. Errors: parse.
Result<std::string> read_id_token(std::string_view text);

}  // namespace rltune::gateway
