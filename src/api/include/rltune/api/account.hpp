// Messages about who signs in: /api/v1/auth/... and /api/v1/account/...
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/api/field.hpp"
#include "rltune/base/time.hpp"

namespace rltune::api {

inline constexpr std::array<std::string_view, 2> kTokenKinds{"bearer", "cookie"};
inline constexpr std::array<std::string_view, 5> kRoleWords{"viewer", "operator", "engineer", "admin", "service"};
inline constexpr std::size_t kNameMax = 64, kSecretMax = 256, kReasonBytesMax = 500;

struct Login {
  static constexpr std::string_view kSchema = "Login";
  std::string user, password;
  std::optional<std::string> code;
  std::optional<bool> cookie;
};
template <typename Visitor>
void describe(Visitor& v, Login& login) {
  v.field("user", login.user, {.note = "name of the account", .length_max = kNameMax});
  v.field("password", login.password, {.note = "of the account", .length_max = kSecretMax, .secret = true});
  v.field("code", login.code, {.note = "six digits of the second factor, where the account has one", .length_max = 6});
  v.field("cookie", login.cookie,
          {.note = "true: the tokens come as cookies that scripts cannot read, with a CSRF token; for browsers"});
}

struct Tokens {
  static constexpr std::string_view kSchema = "Tokens";
  std::optional<std::string> access_token, refresh_token, csrf_token;
  std::string token_type = "bearer";
  std::uint64_t expires_in = 0;
};
template <typename Visitor>
void describe(Visitor& v, Tokens& tokens) {
  v.field("access_token", tokens.access_token, {.note = "for the header Authorization: Bearer", .length_max = 2048});
  v.field("refresh_token", tokens.refresh_token, {.note = "good for one refresh", .length_max = kSecretMax});
  v.field("csrf_token", tokens.csrf_token,
          {.note = "for the header X-CSRF-Token of whatever changes something", .length_max = kSecretMax});
  v.field("token_type", tokens.token_type, {.note = "how they travel", .words = kTokenKinds});
  v.field("expires_in", tokens.expires_in, {.note = "seconds that the access token lives"});
}

struct ServiceLogin {
  static constexpr std::string_view kSchema = "ServiceLogin";
  std::string service, secret;
};
template <typename Visitor>
void describe(Visitor& v, ServiceLogin& login) {
  v.field("service", login.service, {.note = "name of the account, whose role is service", .length_max = kNameMax});
  v.field("secret", login.secret,
          {.note = "as 'rltune user secret' printed it", .length_max = kSecretMax, .secret = true});
}

// What a provider sends a browser back with; it may add what it likes.
struct ProviderAnswer {
  std::optional<std::string> code, state, iss, error;
};
template <typename Visitor>
void describe(Visitor& v, ProviderAnswer& answer) {
  v.field("code", answer.code, {.note = "against which the gateway gets the provider's word", .length_max = 2048});
  v.field("state", answer.state, {.note = "of the attempt that this browser began", .length_max = 64});
  v.field("iss", answer.iss, {.note = "whose answer it is"});
  v.field("error", answer.error, {.note = "why the provider did not let the person in", .length_max = 64});
}

struct BreakGlass {
  static constexpr std::string_view kSchema = "BreakGlass";
  std::string secret, reason;
  std::optional<bool> cookie;
};
template <typename Visitor>
void describe(Visitor& v, BreakGlass& shown) {
  v.field("secret", shown.secret,
          {.note = "as 'rltune user break-glass' printed it", .length_max = kSecretMax, .secret = true});
  v.field("reason", shown.reason, {.note = "for the record", .length_max = kReasonBytesMax});
  v.field("cookie", shown.cookie, {.note = "true: the token comes as a cookie, for browsers"});
}

struct Refresh {
  static constexpr std::string_view kSchema = "Refresh";
  std::optional<std::string> refresh_token;
};
template <typename Visitor>
void describe(Visitor& v, Refresh& refresh) {
  v.field("refresh_token", refresh.refresh_token,
          {.note = "as it was given last; missing: the one of the cookie", .length_max = kSecretMax, .secret = true});
}

struct Account {
  static constexpr std::string_view kSchema = "Account";
  std::string user, full_name, role;
  std::vector<std::string> permissions;
  std::optional<std::string> session;
};
template <typename Visitor>
void describe(Visitor& v, Account& account) {
  v.field("user", account.user, {.note = "name of the account", .length_max = kNameMax});
  v.field("full_name", account.full_name, {.note = "for people"});
  v.field("role", account.role, {.note = "what it may: each what those before it may", .words = kRoleWords});
  v.field("permissions", account.permissions, {.note = "the same in detail"});
  v.field("session", account.session, {.note = "the session of this call"});
}

struct SessionInfo {
  static constexpr std::string_view kSchema = "Session";
  std::string id, client, address;
  TimePoint begun{}, used{};
  bool current = false;
};
template <typename Visitor>
void describe(Visitor& v, SessionInfo& session) {
  v.field("id", session.id, {.note = "no secret"});
  v.field("client", session.client, {.note = "what the client says of itself"});
  v.field("address", session.address, {.note = "where it came from last"});
  v.field("begun", session.begun, {.note = "signed in"});
  v.field("used", session.used, {.note = "refreshed last"});
  v.field("current", session.current, {.note = "it is the one of this call"});
}

struct SessionList {
  static constexpr std::string_view kSchema = "SessionList";
  std::vector<SessionInfo> sessions;
};
template <typename Visitor>
void describe(Visitor& v, SessionList& list) {
  v.field("sessions", list.sessions, {.note = "that have not ended, by the time they began"});
}

struct NewPassword {
  static constexpr std::string_view kSchema = "NewPassword";
  std::string link, password;
};
template <typename Visitor>
void describe(Visitor& v, NewPassword& chosen) {
  v.field("link", chosen.link,
          {.note = "the last part of a link that works once", .length_max = kSecretMax, .secret = true});
  v.field("password", chosen.password, {.note = "12 to 128 bytes", .length_max = kSecretMax, .secret = true});
}

}  // namespace rltune::api
