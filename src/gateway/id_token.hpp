// The token by which a provider says who has signed in (OpenID Connect Core 1.0, 2 and 3.1.3.7): who issued it, for
// whom, until when, and for which attempt, all looked at before anybody believes the name in it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jwk.hpp"
#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::gateway {

inline constexpr std::size_t kIdTokenBytesMax = 16'384;

struct IdTokenExpected {
  std::string issuer, client_id, nonce;
  std::string user_claim;
  std::vector<std::string> required_acr, required_amr;  // as in users.yaml
  Duration leeway = std::chrono::seconds(30);           // between the provider's clock and ours
};

// The user's name. Errors: not_found: signed with a key that is not among these, which may be a new one; denied, with
// the reason for the log.
Result<std::string> verify_id_token(std::string_view token, std::span<const Jwk> keys, const IdTokenExpected& expected,
                                    TimePoint now);

// The same of the claims alone, as JSON.
Result<std::string> user_in_claims(std::string_view json, const IdTokenExpected& expected, TimePoint now);

}  // namespace rltune::gateway
