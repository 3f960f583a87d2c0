// JSON Web Tokens (RFC 7519, RFC 9068) signed with EdDSA (RFC 8037): what a caller shows instead of a password. One
// algorithm, one form: a token that says anything else of itself is refused before its signature is looked at.
#pragma once

#include <string>
#include <string_view>

#include "rltune/access/key_ring.hpp"
#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::access {

inline constexpr std::size_t kTokenBytesMax = 2048;

struct Claims {
  std::string issuer;
  std::string subject;   // the user's or the service's name
  std::string audience;  // who is to take it
  std::string id;        // of this token alone
  std::string session;   // empty: of a service
  std::string role;      // admin, operator, viewer, service
  TimePoint issued{}, expires{};

  friend bool operator==(const Claims&, const Claims&) = default;
};

// Whole seconds of the times stand in it. REQUIRES: the token is no longer than kTokenBytesMax.
std::string make_token(const Claims& claims, const KeyRing& keys);

struct Expected {
  std::string issuer, audience;
  Duration leeway = std::chrono::seconds(30);  // between the clocks of two hosts
};

// Errors: denied, with the reason for a log; who showed it is told no more than that it was refused.
Result<Claims> verify_token(std::string_view token, const KeyRing& keys, const Expected& expected, TimePoint now);

}  // namespace rltune::access
