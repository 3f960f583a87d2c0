// Finds out who calls: a token in the header Authorization, or in a cookie that a browser sent.
//
// A token says who somebody is; what it may, and whether it still may anything, is looked up at every call: an account
// that was disabled, or a session that was ended, is refused at once.
// Threads: any.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "accounts.hpp"
#include "call.hpp"
#include "emergency_session.hpp"
#include "keyed_hash.hpp"
#include "rltune/access/sessions.hpp"
#include "rltune/access/verified_tokens.hpp"
#include "rltune/webserver/request.hpp"

namespace rltune::gateway {

inline constexpr std::chrono::seconds kAccessLife = std::chrono::hours(1), kServiceLife = std::chrono::minutes(15),
                                      kRefreshLife = std::chrono::hours(30 * 24);

class Credentials {
 public:
  // All outlive it. `issuer`: of the tokens, and who they are for.
  Credentials(const Accounts& accounts, const access::Sessions& sessions, const access::KeyRing& keys,
              const EmergencySession& emergency, std::string issuer);

  // nullopt: nobody says anything of itself. Errors: denied; the message is for the log alone.
  Result<std::optional<Identity>> identify(const webserver::Request& request, TimePoint now);

  // Whether who was let in may go on, without its token.
  bool still_may(const Identity& identity, api::Permission permission, TimePoint now) const;

  // A person's lives an hour, a service's, which has no session, 15 minutes.
  std::string make_access_token(const AccountFacts& account, const std::string& session, TimePoint now) const;

  // Of a session, for a browser's header X-CSRF-Token: another site can make a browser send cookies, not this. After
  // the gateway has started again it is another one.
  std::string csrf_token(std::string_view session) const;
  bool is_csrf_token(std::string_view shown, std::string_view session) const;

 private:
  std::optional<AccountFacts> account_of(const std::string& name) const;
  bool has_session(const std::string& name, const std::string& session, TimePoint now) const;

  const Accounts& accounts_;
  const access::Sessions& sessions_;
  const access::KeyRing& keys_;
  const EmergencySession& emergency_;
  std::string issuer_;
  access::VerifiedTokens tokens_;
  KeyedHash csrf_;
};

}  // namespace rltune::gateway
