#include "known_provider.hpp"

#include "rltune/base/log.hpp"

namespace rltune::gateway {

KnownProvider::KnownProvider(std::string issuer, Fetch fetch, const Clock& clock)
    : issuer_(std::move(issuer)), fetch_(std::move(fetch)), clock_(clock) {}

Result<> KnownProvider::fetch() {
  const std::string folder = issuer_.ends_with('/') ? issuer_.substr(0, issuer_.size() - 1) : issuer_;
  const auto description = fetch_(folder + "/.well-known/openid-configuration");
  if (!description) return std::unexpected(description.error());
  const auto endpoints = read_discovery(*description, issuer_);
  if (!endpoints) return std::unexpected(endpoints.error());
  const auto key_set = fetch_(endpoints->keys);
  if (!key_set) return std::unexpected(key_set.error());
  auto keys = read_key_set(*key_set);
  if (!keys) return std::unexpected(keys.error());
  endpoints_ = *endpoints;
  keys_ = std::move(*keys);
  fetched_ = clock_.steady();
  return {};
}

Result<> KnownProvider::renew(Duration older_than) {
  const Duration now = clock_.steady();
  const bool due = !fetched_ || now - *fetched_ >= older_than;
  if (due && (!tried_ || now - *tried_ >= kPause)) {
    tried_ = now;
    trouble_.reset();
    if (const auto fetched = fetch(); !fetched) {
      trouble_ = fetched.error();
      log::warning("what the provider of sign-in says of itself could not be fetched",
                   {{"issuer", issuer_}, {"reason", trouble_->message}});
    }
  }
  if (fetched_ && now - *fetched_ < kKept) return {};
  if (trouble_) return std::unexpected(*trouble_);
  return fail(Errc::disconnected, "the provider of sign-in could not be asked for a day");
}

Result<ProviderEndpoints> KnownProvider::endpoints() {
  if (auto known = renew(kFresh); !known) return std::unexpected(known.error());
  return endpoints_;
}

Result<std::string> KnownProvider::verify(std::string_view id_token, const IdTokenExpected& expected) {
  if (auto known = renew(kFresh); !known) return std::unexpected(known.error());
  auto user = verify_id_token(id_token, keys_, expected, clock_.now());
  if (user || user.error().code != Errc::not_found) return user;
  if (auto known = renew(Duration::zero()); !known) return std::unexpected(known.error());
  return verify_id_token(id_token, keys_, expected, clock_.now());
}

}  // namespace rltune::gateway
