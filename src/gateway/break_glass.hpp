// The account for the day when nobody else comes in: the provider is away, everybody is locked out, users.yaml is
// wrong. It stands in no file; whoever has the sealed secret of `rltune user break-glass` is an administrator for an
// hour, once, with a reason, and everybody is told: the audit, and a line of the log at the level CRITICAL.
//
// It counts into no lockout and none stops it. An address has five attempts, then one every 12 s: a guess is hopeless,
// and costs a hash. Threads: any; hashes are made on a thread of its own.
#pragma once

#include <string>

#include "call.hpp"
#include "credentials.hpp"
#include "emergency_session.hpp"
#include "rltune/access/rate_limiter.hpp"
#include "rltune/access/sealed_secret.hpp"
#include "rltune/api/account.hpp"
#include "rltune/base/clock.hpp"
#include "sign_in.hpp"
#include "workers.hpp"

namespace rltune::gateway {

class BreakGlass {
 public:
  struct Parts {
    std::filesystem::path file;  // of the sealed secret
    EmergencySession& session;
    const Credentials& credentials;
    const Clock& clock;
    std::function<void(const SignInEvent&)> tell;
  };
  // All outlive it.
  explicit BreakGlass(Parts parts);

  // Of the operation breakGlass.
  Handlers handlers();

 private:
  Answer open(const Call& call, const api::BreakGlass& shown);
  Answer let_in(const Call& call, const api::BreakGlass& shown);

  const Parts parts_;
  access::SealedSecret sealed_;
  access::RateLimiter addresses_;
  Workers worker_;  // last: it ends first
};

}  // namespace rltune::gateway
