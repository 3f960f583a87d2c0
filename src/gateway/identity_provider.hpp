// The external server that says who somebody is, as users.yaml names it: OpenID Connect, authorization code with PKCE.
//
// Threads: one, and it waits for the network, five seconds a request at most; cancel() from any.
#pragma once

#include <string>

#include "attempts.hpp"
#include "known_provider.hpp"
#include "rltune/config/users.hpp"
#include "rltune/http/client.hpp"

namespace rltune::gateway {

class IdentityProvider {
 public:
  // `oauth`: its files are absolute; `callback`: the URL by which browsers come back. The clock outlives it.
  IdentityProvider(config::OAuth oauth, std::string callback, const Clock& clock);

  // Where a browser goes. Errors: those of the network; parse, mismatch: the provider is not what it should be.
  Result<std::string> url_for(const Attempt& attempt);
  // The user whose code that is. `issuer`: as the answer in the browser names it; empty: it does not. Errors: denied:
  // nobody; others: nobody knows, for the provider or our own secret is not to be had.
  Result<std::string> user_of(const std::string& code, const std::string& issuer, const Attempt& attempt);
  // What is under way ends at once, and everything after it.
  void cancel() noexcept { client_.cancel(); }

  const config::OAuth& oauth() const noexcept { return oauth_; }

 private:
  Result<http::Response> send(const http::Request& request);
  Result<std::string> fetch(const std::string& url);
  Result<std::string> change(const ProviderEndpoints& endpoints, const std::string& code, const Attempt& attempt);

  const config::OAuth oauth_;
  const std::string callback_;
  http::Client client_;
  KnownProvider known_;
};

}  // namespace rltune::gateway
