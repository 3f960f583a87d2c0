// Accounts of others, for administrators: who there is, their sessions' end, a link to choose a password anew.
#pragma once

#include "accounts.hpp"
#include "call.hpp"
#include "rltune/access/one_time_links.hpp"
#include "rltune/access/sessions.hpp"
#include "rltune/base/clock.hpp"

namespace rltune::gateway {

// What links by which a password is chosen are for.
inline constexpr const char* kPasswordLink = "password";

struct UserParts {
  const Accounts& accounts;
  access::Sessions& sessions;
  access::OneTimeLinks& links;
  const Clock& clock;
  // For the audit: what, and to whom.
  std::function<void(const Call&, const std::string& action, const std::string& account)> tell;
};
// What `parts` refers to outlives them.
Handlers user_handlers(const UserParts& parts);

}  // namespace rltune::gateway
