// What is known of a provider, its endpoints and keys: fetched when it is first needed, when it is an hour old, and
// when a token names a key that is not among them; asked at most every ten seconds, whatever people send.
//
// While it cannot be fetched the last good answer holds for a day; then nobody is believed any more.
// Threads: one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "id_token.hpp"
#include "provider_documents.hpp"
#include "rltune/base/clock.hpp"

namespace rltune::gateway {

class KnownProvider {
 public:
  static constexpr Duration kFresh = std::chrono::hours(1), kKept = std::chrono::hours(24),
                            kPause = std::chrono::seconds(10);
  // The text that a URL answers with.
  using Fetch = std::function<Result<std::string>(const std::string& url)>;

  KnownProvider(std::string issuer, Fetch fetch, const Clock& clock);

  // Errors: those of `fetch` and of the documents.
  Result<ProviderEndpoints> endpoints();
  // As verify_id_token(), and those of endpoints().
  Result<std::string> verify(std::string_view id_token, const IdTokenExpected& expected);

 private:
  Result<> fetch();
  Result<> renew(Duration older_than);

  const std::string issuer_;
  const Fetch fetch_;
  const Clock& clock_;
  std::optional<Duration> fetched_, tried_;  // nullopt: never
  std::optional<Error> trouble_;             // of the last try
  ProviderEndpoints endpoints_;
  std::vector<Jwk> keys_;
};

}  // namespace rltune::gateway
