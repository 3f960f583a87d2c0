#include "credentials.hpp"

#include "cookies.hpp"
#include "rltune/base/id.hpp"

namespace rltune::gateway {
namespace {

constexpr std::string_view kScheme = "bearer ";

bool is_bearer(std::string_view header) {
  if (header.size() < kScheme.size()) return false;
  for (std::size_t i = 0; i < kScheme.size(); ++i)
    if ((header[i] | 0x20) != (kScheme[i] | 0x20)) return false;
  return true;
}

}  // namespace

Credentials::Credentials(const Accounts& accounts, const access::Sessions& sessions, const access::KeyRing& keys,
                         const EmergencySession& emergency, std::string issuer)
    : accounts_(accounts),
      sessions_(sessions),
      keys_(keys),
      emergency_(emergency),
      issuer_(std::move(issuer)),
      tokens_(keys, {.issuer = issuer_, .audience = issuer_}) {}

std::optional<AccountFacts> Credentials::account_of(const std::string& name) const {
  return name == config::kBreakGlassUser ? break_glass_account() : accounts_.find(name);
}

bool Credentials::has_session(const std::string& name, const std::string& session, TimePoint now) const {
  return name == config::kBreakGlassUser ? emergency_.active(session, now) : sessions_.active(session, now);
}

Result<std::optional<Identity>> Credentials::identify(const webserver::Request& request, TimePoint now) {
  std::string token;
  Identity identity;
  if (const auto header = request.headers.find("authorization"); header != request.headers.end()) {
    if (!is_bearer(header->second)) return fail(Errc::denied, "the header Authorization holds no bearer token");
    token = header->second.substr(kScheme.size());
  } else if (const auto cookies = request.headers.find("cookie"); cookies != request.headers.end()) {
    token = cookie_value(cookies->second, kAccessCookie);
    identity.by_cookie = true;
  }
  if (token.empty()) return std::nullopt;
  const auto claims = tokens_.verify(token, now);
  if (!claims) return std::unexpected(claims.error());
  const auto account = account_of((*claims)->subject);
  if (!account) return fail(Errc::denied, "the account is gone, or not enabled");
  const bool service = account->role == api::Role::service;
  if (service != (*claims)->session.empty()) return fail(Errc::denied, "people have sessions, and services have none");
  if (!service && !has_session((*claims)->subject, (*claims)->session, now))
    return fail(Errc::denied, "the session has ended");
  identity.name = account->name;
  identity.role = account->role;
  identity.session = (*claims)->session;
  return identity;
}

bool Credentials::still_may(const Identity& identity, api::Permission permission, TimePoint now) const {
  const auto account = account_of(identity.name);
  return account && may(account->role, permission) &&
         (identity.session.empty() || has_session(identity.name, identity.session, now));
}

std::string Credentials::make_access_token(const AccountFacts& account, const std::string& session,
                                           TimePoint now) const {
  return access::make_token({.issuer = issuer_,
                             .subject = account.name,
                             .audience = issuer_,
                             .id = make_id(now),
                             .session = session,
                             .role = std::string(to_string(account.role)),
                             .issued = now,
                             .expires = now + (session.empty() ? kServiceLife : kAccessLife)},
                            keys_);
}

std::string Credentials::csrf_token(std::string_view session) const { return csrf_.of(session); }

bool Credentials::is_csrf_token(std::string_view shown, std::string_view session) const {
  return csrf_.is(shown, session);
}

}  // namespace rltune::gateway
