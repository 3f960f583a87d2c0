// Signing in and out: passwords, second factors, sessions, links that work once. Every attempt that fails is for the
// audit.
//
// Threads: any. Passwords are checked on threads of its own.
#pragma once

#include <functional>
#include <string>

#include "accounts.hpp"
#include "call.hpp"
#include "credentials.hpp"
#include "rltune/access/lockout.hpp"
#include "rltune/access/one_time_links.hpp"
#include "rltune/access/sessions.hpp"
#include "rltune/access/used_codes.hpp"
#include "rltune/api/account.hpp"
#include "rltune/api/user.hpp"
#include "rltune/base/clock.hpp"
#include "workers.hpp"

namespace rltune::gateway {

// For the audit: who, what ("sign_in.failed"), and by which call.
struct SignInEvent {
  std::string action, account, reason, correlation_id, address;
};

class SignIn {
 public:
  struct Parts {
    const Accounts& accounts;
    access::Sessions& sessions;
    access::OneTimeLinks& links;
    access::UsedCodes& codes;
    const Credentials& credentials;
    EmergencySession& emergency;
    const Clock& clock;
    std::string site;  // its name, which no password is made of
    std::function<void(const SignInEvent&)> tell;
  };
  explicit SignIn(const Parts& parts);

  // Of the operations login, serviceToken, refresh, logout, setPassword, changePassword, getAccount, listSessions and
  // endSession.
  Handlers handlers();

  // For who has shown who it is, `how`: for the audit. 200 with its tokens, or what is in the way.
  Answer begin_session(const Call& call, const AccountFacts& account, bool by_cookie, std::string how = {});
  void tell(const Call& call, std::string action, std::string account, std::string reason = {}) const;

 private:
  // Lets through who may try, and has the work done where waiting is allowed.
  void attempt(const CallPointer& call, const std::string& account, const Done& done, std::function<Answer()> work);
  Answer login(const Call& call, const api::Login& login);
  Answer service_token(const Call& call, const api::ServiceLogin& login);
  Result<bool> second_factor_is_right(const AccountFacts& account, const std::string& code);
  Answer refresh(const Call& call, const api::Refresh& refresh);
  Answer logout(const Call& call);
  Answer account(const Call& call) const;
  Answer sessions(const Call& call) const;
  Answer end_session(const Call& call);
  // Why nobody may choose it; nullopt: somebody of that account may.
  std::optional<Answer> fault_of(const std::string& password, const AccountFacts* account) const;
  Answer refuse_link(const Call& call, std::string account) const;
  Answer set_password(const Call& call, const api::NewPassword& chosen);
  Answer change_password(const Call& call, const api::PasswordChange& change);
  Answer give(const AccountFacts& account, const std::string& session, const std::string& refresh_token,
              bool by_cookie) const;

  const Parts parts_;
  access::Lockout lockout_;
  Workers workers_;
};

}  // namespace rltune::gateway
