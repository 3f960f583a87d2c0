// Signing in with the provider of users.yaml (`oauth`): a browser is sent there, comes back with a code, and gets the
// cookies of a session, as after a password. Who comes back has to be a person of users.yaml: nobody gets an account
// by having one elsewhere. Every attempt that fails is for the audit.
//
// Threads: any. The network is waited for on one thread of its own, so that a provider that hangs holds up no password
// and no call; what an address may ask of it is limited, since it costs the provider something as well.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "attempts.hpp"
#include "identity_provider.hpp"
#include "rltune/access/rate_limiter.hpp"
#include "sign_in.hpp"
#include "workers.hpp"

namespace rltune::gateway {

class OidcSignIn {
 public:
  struct Parts {
    const Accounts& accounts;
    SignIn& sign_in;
    const Clock& clock;
    std::string own_url;  // "https://localhost:8443": where users.yaml names none
  };
  // All outlive it.
  explicit OidcSignIn(Parts parts);
  ~OidcSignIn();
  OidcSignIn(const OidcSignIn&) = delete;
  OidcSignIn& operator=(const OidcSignIn&) = delete;

  // Of the operations oidcLogin and oidcCallback.
  Handlers handlers();

 private:
  using Work = Answer (OidcSignIn::*)(const Call& call);
  Handler waiting(Work work);
  Answer begin(const Call& call);
  Answer end(const Call& call);
  Answer let_in(const Call& call, const std::string& user);
  Answer refuse_provider(const Call& call, const Error& error);
  IdentityProvider* provider();

  const Parts parts_;
  Attempts attempts_;
  access::RateLimiter addresses_;
  std::mutex mutex_;
  bool stopping_ = false;
  std::shared_ptr<IdentityProvider> provider_;  // changed under the mutex, used by the one worker
  Workers worker_;                              // last: it ends first
};

}  // namespace rltune::gateway
