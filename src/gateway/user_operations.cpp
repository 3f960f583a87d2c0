#include "user_operations.hpp"

#include "rltune/api/user.hpp"
#include "rltune/base/log.hpp"

namespace rltune::gateway {
namespace {

constexpr auto kInvitationLife = std::chrono::hours(24);

Answer users(const UserParts& parts) {
  api::UserList list;
  for (const config::User& user : parts.accounts.all())
    list.users.push_back({.name = user.name,
                          .full_name = user.full_name,
                          .role = user.role,
                          .enabled = user.enabled,
                          .second_factor = !user.totp_secret_file.empty(),
                          .sessions = parts.sessions.list(user.name, parts.clock.now()).size()});
  return answer(list);
}

Answer end_sessions(const UserParts& parts, const Call& call) {
  const std::string& name = call.parts[0];
  const auto ended = parts.sessions.end_all(name);
  if (!ended) log::error("sessions' end is not on the disk yet", {{"reason", ended.error().message}});
  parts.tell(call, "session.end_all", name);
  return answer(api::EndedSessions{.ended = ended.value_or(0)});
}

// Whoever could invite an account that may change the configuration could sign in as it, and agree with themselves.
Answer invite(const UserParts& parts, const Call& call) {
  const auto account = parts.accounts.find(call.parts[0]);
  if (!account) return refuse(404, "there is no account of that name, or it is not enabled");
  if (account->role == api::Role::service) return refuse(409, "a service has a secret, which is made on the host");
  if (may(account->role, api::Permission::config_write))
    return refuse(403, "who may change the configuration is invited on the host: rltune user invite");
  const TimePoint now = parts.clock.now();
  auto link = parts.links.make({.purpose = kPasswordLink, .subject = account->name}, kInvitationLife, now);
  if (!link) return refuse(503, "the gateway's disk does not take it; try again");
  parts.tell(call, "user.invite", account->name);
  return answer(api::Invitation{.link = std::move(*link), .until = now + kInvitationLife});
}

}  // namespace

Handlers user_handlers(const UserParts& parts) {
  Handlers handlers;
  handlers.emplace("listUsers", [parts](const CallPointer&, const Done& done) { done(users(parts)); });
  handlers.emplace("endUserSessions",
                   [parts](const CallPointer& call, const Done& done) { done(end_sessions(parts, *call)); });
  handlers.emplace("inviteUser", [parts](const CallPointer& call, const Done& done) { done(invite(parts, *call)); });
  return handlers;
}

}  // namespace rltune::gateway
