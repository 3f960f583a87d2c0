// Messages about the accounts of others. Accounts themselves stand in users.yaml: they are made, changed and disabled
// as any other file of the configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/api/account.hpp"
#include "rltune/api/field.hpp"
#include "rltune/base/time.hpp"

namespace rltune::api {

struct UserInfo {
  static constexpr std::string_view kSchema = "User";
  std::string name, full_name, role;
  bool enabled = true, second_factor = false;
  std::uint64_t sessions = 0;
};
template <typename Visitor>
void describe(Visitor& v, UserInfo& user) {
  v.field("name", user.name, {.note = "as in users.yaml"});
  v.field("full_name", user.full_name, {.note = "for people"});
  v.field("role", user.role, {.note = "what it may", .words = kRoleWords});
  v.field("enabled", user.enabled, {.note = "one that is not gets nowhere, whatever it holds"});
  v.field("second_factor", user.second_factor, {.note = "it is asked for a code"});
  v.field("sessions", user.sessions, {.note = "that have not ended"});
}

struct UserList {
  static constexpr std::string_view kSchema = "UserList";
  std::vector<UserInfo> users;
};
template <typename Visitor>
void describe(Visitor& v, UserList& list) {
  v.field("users", list.users, {.note = "of users.yaml"});
}

struct EndedSessions {
  static constexpr std::string_view kSchema = "EndedSessions";
  std::uint64_t ended = 0;
};
template <typename Visitor>
void describe(Visitor& v, EndedSessions& sessions) {
  v.field("ended", sessions.ended, {.note = "sessions there were"});
}

struct Invitation {
  static constexpr std::string_view kSchema = "Invitation";
  std::string link;
  std::optional<TimePoint> until;
};
template <typename Visitor>
void describe(Visitor& v, Invitation& invitation) {
  v.field("link", invitation.link, {.note = "for POST /api/v1/auth/password, once", .length_max = kSecretMax});
  v.field("until", invitation.until, {.note = "it is good for nothing after"});
}

struct PasswordChange {
  static constexpr std::string_view kSchema = "PasswordChange";
  std::string current, password;
};
template <typename Visitor>
void describe(Visitor& v, PasswordChange& change) {
  v.field("current", change.current, {.note = "the password of now", .length_max = kSecretMax, .secret = true});
  v.field("password", change.password, {.note = "12 to 128 bytes", .length_max = kSecretMax, .secret = true});
}

}  // namespace rltune::api
