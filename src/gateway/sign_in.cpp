#include "sign_in.hpp"

#include <algorithm>
#include <cmath>
#include <format>

#include "cookies.hpp"
#include "door.hpp"
#include "rltune/access/guessable_password.hpp"
#include "rltune/access/password.hpp"
#include "rltune/access/totp.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/secret.hpp"
#include "user_operations.hpp"

namespace rltune::gateway {
namespace {

constexpr std::size_t kPasswordsAtOnce = 2, kPasswordsWaiting = 16;

access::LockoutOptions lockout_of(const config::SignIn& sign_in) {
  access::LockoutOptions options{.attempts_max = static_cast<unsigned>(sign_in.attempts_max),
                                 .lock_for = from_seconds(60.0 * sign_in.lockout_minutes)};
  options.account_max = std::max(options.account_max, options.attempts_max);
  options.address_max = std::max(options.address_max, options.attempts_max);
  return options;
}

// Which of the two is wrong is nobody's business.
Answer wrong() { return refuse(401, "the name, the password or the code is wrong"); }

std::string password_hash(const AccountFacts& account) {
  if (account.password_hash_file.empty()) return {};
  const auto hash = read_secret_file(account.password_hash_file);
  if (!hash)
    log::error("a password's hash cannot be read", {{"account", account.name}, {"reason", hash.error().message}});
  return hash && *hash ? **hash : std::string();
}

}  // namespace

SignIn::SignIn(const Parts& parts)
    : parts_(parts), lockout_(lockout_of(parts.accounts.sign_in())), workers_(kPasswordsAtOnce, kPasswordsWaiting) {}

Handlers SignIn::handlers() {
  Handlers handlers;
  handlers.emplace("login",
                   taking<api::Login>([this](const CallPointer& call, const api::Login& message, const Done& done) {
                     attempt(call, message.user, done, [this, call, message] { return login(*call, message); });
                   }));
  handlers.emplace(
      "serviceToken",
      taking<api::ServiceLogin>([this](const CallPointer& call, const api::ServiceLogin& message, const Done& done) {
        attempt(call, message.service, done, [this, call, message] { return service_token(*call, message); });
      }));
  handlers.emplace(
      "setPassword",
      taking<api::NewPassword>([this](const CallPointer& call, const api::NewPassword& chosen, const Done& done) {
        const bool taken = workers_.post([this, call, chosen, done] { done(set_password(*call, chosen)); });
        if (!taken) done({.status = 503, .headers = {{"Retry-After", "1"}}, .detail = "try again"});
      }));
  handlers.emplace(
      "changePassword",
      taking<api::PasswordChange>([this](const CallPointer& call, const api::PasswordChange& change, const Done& done) {
        attempt(call, call->identity->name, done, [this, call, change] { return change_password(*call, change); });
      }));
  handlers.emplace("refresh", taking<api::Refresh>([this](const CallPointer& call, const api::Refresh& message,
                                                          const Done& done) { done(refresh(*call, message)); }));
  handlers.emplace("logout", [this](const CallPointer& call, const Done& done) { done(logout(*call)); });
  handlers.emplace("getAccount", [this](const CallPointer& call, const Done& done) { done(account(*call)); });
  handlers.emplace("listSessions", [this](const CallPointer& call, const Done& done) { done(sessions(*call)); });
  handlers.emplace("endSession", [this](const CallPointer& call, const Done& done) { done(end_session(*call)); });
  return handlers;
}

void SignIn::tell(const Call& call, std::string action, std::string account, std::string reason) const {
  parts_.tell({std::move(action), std::move(account), std::move(reason), call.correlation_id, call.address});
}

// Before the password is looked at, and before it waits for that: a flood of guesses costs nothing here.
void SignIn::attempt(const CallPointer& call, const std::string& account, const Done& done,
                     std::function<Answer()> work) {
  const auto verdict = lockout_.attempt(account, limited_address(call->address), parts_.clock.steady());
  if (!verdict.allowed) {
    tell(*call, "sign_in.locked", {}, "too many wrong attempts in a row");
    return done({.status = 429,
                 .headers = {{"Retry-After", std::format("{:.0f}", std::ceil(to_seconds(verdict.retry_after)))}},
                 .detail = "too many wrong attempts; Retry-After says when the next one is looked at"});
  }
  if (!workers_.post([done, work = std::move(work)] { done(work()); }))
    done({.status = 503, .headers = {{"Retry-After", "1"}}, .detail = "many sign in at once; try again in a second"});
}

Answer SignIn::login(const Call& call, const api::Login& login) {
  const auto account = parts_.accounts.find(login.user);
  const std::string hash = account && account->role != api::Role::service ? password_hash(*account) : std::string();
  const bool right = access::verify_password(login.password, hash);  // takes as long where there is no account
  if (!account || !right) {
    // The name is told only where there is such an account: people type passwords where names belong.
    tell(call, "sign_in.failed", account ? account->name : std::string(), "wrong name or password");
    return wrong();
  }
  if (!account->totp_secret_file.empty()) {
    const auto code = second_factor_is_right(*account, login.code.value_or(""));
    if (!code) return refuse(503, "nobody can sign in with a code now: the gateway's disk does not take it");
    if (!*code) {
      tell(call, "sign_in.failed", account->name, "wrong code of the second factor");
      return login.code ? wrong() : refuse(401, "this account has a second factor: its code belongs into 'code'");
    }
  }
  lockout_.right(login.user, limited_address(call.address), parts_.clock.steady());
  return begin_session(call, *account, login.cookie.value_or(false));
}

Answer SignIn::service_token(const Call& call, const api::ServiceLogin& login) {
  const auto account = parts_.accounts.find(login.service);
  const std::string hash = account && account->role == api::Role::service ? password_hash(*account) : std::string();
  const bool right = access::verify_password(login.secret, hash);
  if (!account || !right) {
    tell(call, "sign_in.failed", account ? account->name : std::string(), "wrong service or secret");
    return wrong();
  }
  lockout_.right(login.service, limited_address(call.address), parts_.clock.steady());
  return answer(api::Tokens{.access_token = parts_.credentials.make_access_token(*account, {}, parts_.clock.now()),
                            .expires_in = static_cast<std::uint64_t>(kServiceLife.count())});
}

Result<bool> SignIn::second_factor_is_right(const AccountFacts& account, const std::string& code) {
  const auto secret = read_secret_file(account.totp_secret_file);
  if (!secret || !*secret) {
    log::error("the secret of a second factor cannot be read", {{"account", account.name}});
    return false;
  }
  const auto step = access::check_totp(**secret, code, parts_.clock.now(), 0);
  if (!step || !*step) return false;
  auto taken = parts_.codes.take(account.name, **step);
  if (!taken) log::error("a code could not be taken", {{"account", account.name}, {"reason", taken.error().message}});
  return taken;
}

Answer SignIn::begin_session(const Call& call, const AccountFacts& account, bool by_cookie, std::string how) {
  const auto begun = parts_.sessions.begin(account.name, {call.client, call.address}, parts_.clock.now());
  if (!begun) {
    log::error("a session could not begin", {{"reason", begun.error().message}});
    return refuse(503, "nobody can sign in now: the gateway's disk does not take it");
  }
  tell(call, "sign_in", account.name, std::move(how));
  for (const access::Session& ended : begun->made_room)
    tell(call, "session.end", account.name, "made room for a new one: " + ended.id);
  return give(account, begun->id, begun->refresh_token, by_cookie);
}

Answer SignIn::give(const AccountFacts& account, const std::string& session, const std::string& refresh_token,
                    bool by_cookie) const {
  api::Tokens tokens{.expires_in = static_cast<std::uint64_t>(kAccessLife.count())};
  std::string access_token = parts_.credentials.make_access_token(account, session, parts_.clock.now());
  if (!by_cookie) {
    tokens.access_token = std::move(access_token);
    tokens.refresh_token = refresh_token;
    return answer(tokens);
  }
  tokens.token_type = "cookie";
  tokens.csrf_token = parts_.credentials.csrf_token(session);
  Answer given = answer(tokens);
  given.cookies = {set_cookie(kAccessCookie, access_token, kAccessLife),
                   set_cookie(kRefreshCookie, refresh_token, kRefreshLife)};
  return given;
}

Answer SignIn::refresh(const Call& call, const api::Refresh& refresh) {
  const bool by_cookie = !refresh.refresh_token;
  const std::string token = by_cookie ? call.refresh_cookie : *refresh.refresh_token;
  const auto refreshed = parts_.sessions.refresh(token, call.address, parts_.clock.now());
  if (!refreshed) {
    log::error("a session could not be refreshed", {{"reason", refreshed.error().message}});
    return refuse(503, "the gateway's disk does not take it; try again");
  }
  if (refreshed->outcome == access::RefreshOutcome::reused)
    tell(call, "session.reused", refreshed->session.user,
         "a refresh token was shown twice; session " + refreshed->session.id + " has ended");
  if (refreshed->outcome != access::RefreshOutcome::renewed)
    return refuse(401, "this refresh token is not, or no longer, good: sign in again");
  const auto account = parts_.accounts.find(refreshed->session.user);
  if (!account) {
    (void)parts_.sessions.end(refreshed->session.id);
    return refuse(401, "the account is gone, or not enabled");
  }
  return give(*account, refreshed->session.id, refreshed->refresh_token, by_cookie);
}

Answer SignIn::logout(const Call& call) {
  // Refused by this process in any case, whatever the disk says.
  if (call.identity->name == config::kBreakGlassUser) parts_.emergency.end();
  if (const auto ended = parts_.sessions.end(call.identity->session); !ended)
    log::error("a session's end is not on the disk yet", {{"reason", ended.error().message}});
  tell(call, "sign_out", call.identity->name);
  return {.cookies = {set_cookie(kAccessCookie, "", std::chrono::seconds(0)),
                      set_cookie(kRefreshCookie, "", std::chrono::seconds(0))}};
}

Answer SignIn::account(const Call& call) const {
  const auto facts = parts_.accounts.find(call.identity->name);
  api::Account told{.user = call.identity->name,
                    .full_name = facts ? facts->full_name : std::string(),
                    .role = std::string(to_string(call.identity->role)),
                    .session = call.identity->session};
  for (const api::PermissionRow& row : api::permission_table())
    if (may(call.identity->role, row.permission)) told.permissions.emplace_back(row.name);
  return answer(told);
}

Answer SignIn::sessions(const Call& call) const {
  api::SessionList list;
  for (const access::Session& session : parts_.sessions.list(call.identity->name, parts_.clock.now()))
    list.sessions.push_back({.id = session.id,
                             .client = session.client.description,
                             .address = session.client.address,
                             .begun = session.begun,
                             .used = session.used,
                             .current = session.id == call.identity->session});
  return answer(list);
}

Answer SignIn::end_session(const Call& call) {
  const auto own = parts_.sessions.list(call.identity->name, parts_.clock.now());
  if (std::ranges::find(own, call.parts[0], &access::Session::id) == own.end())
    return refuse(404, "you have no session of that id");
  if (const auto ended = parts_.sessions.end(call.parts[0]); !ended)
    log::error("a session's end is not on the disk yet", {{"reason", ended.error().message}});
  tell(call, "session.end", call.identity->name, call.parts[0]);
  return {};
}

std::optional<Answer> SignIn::fault_of(const std::string& password, const AccountFacts* account) const {
  std::vector<std::string> words{"RLTune", parts_.site};
  if (account != nullptr) words.insert(words.end(), {account->name, account->full_name});
  auto good = access::check_password_form(password);
  if (good) good = access::check_not_guessable(password, words);
  if (good) return std::nullopt;
  return Answer{
      .status = 422, .detail = "the message is not as it should be", .faults = {{"/password", good.error().message}}};
}

Answer SignIn::refuse_link(const Call& call, std::string account) const {
  tell(call, "password.refused", std::move(account), "the link is used, over, or never was one");
  return refuse(403, "this link is used, over, or never was one: ask for a new one");
}

Answer SignIn::set_password(const Call& call, const api::NewPassword& chosen) {
  // A hash costs 0.1 s and 64 MiB: who has no link gets none.
  const auto shown = parts_.links.look(chosen.link, parts_.clock.now());
  if (!shown && shown.error().code == Errc::denied) return refuse_link(call, {});
  const auto chooser = shown ? parts_.accounts.find(shown->subject) : std::nullopt;
  if (auto fault = fault_of(chosen.password, chooser ? &*chooser : nullptr)) return std::move(*fault);
  const auto hash = access::hash_password(chosen.password);
  if (!hash) return refuse(503, "there is no memory to hash a password now; try again");
  const auto link = parts_.links.take(chosen.link, parts_.clock.now());
  if (!link && link.error().code != Errc::denied) return refuse(503, "the gateway's disk does not take it; try again");
  const auto account = link ? parts_.accounts.find(link->subject) : std::nullopt;
  if (!link || link->purpose != kPasswordLink || !account || account->password_hash_file.empty())
    return refuse_link(call, account ? account->name : std::string());
  if (const auto written = write_secret_file(account->password_hash_file, *hash + "\n"); !written) {
    log::error("a password could not be kept", {{"account", account->name}, {"reason", written.error().message}});
    return refuse(503, "the gateway's disk does not take it; ask for a new link");
  }
  if (const auto ended = parts_.sessions.end_all(account->name); !ended)
    log::error("the end of sessions is not on the disk yet", {{"reason", ended.error().message}});
  tell(call, "password.set", account->name);
  return {};
}

// A session alone does not show that it is still the person who began it.
Answer SignIn::change_password(const Call& call, const api::PasswordChange& change) {
  const auto account = parts_.accounts.find(call.identity->name);
  if (auto fault = fault_of(change.password, account ? &*account : nullptr)) return std::move(*fault);
  if (!account || !access::verify_password(change.current, password_hash(*account))) {
    tell(call, "password.refused", call.identity->name, "the current password is wrong");
    return refuse(403, "the current password is wrong");
  }
  lockout_.right(account->name, limited_address(call.address), parts_.clock.steady());
  const auto hash = access::hash_password(change.password);
  if (!hash) return refuse(503, "there is no memory to hash a password now; try again");
  if (const auto written = write_secret_file(account->password_hash_file, *hash + "\n"); !written) {
    log::error("a password could not be kept", {{"account", account->name}, {"reason", written.error().message}});
    return refuse(503, "the gateway's disk does not take it; try again");
  }
  for (const access::Session& session : parts_.sessions.list(account->name, parts_.clock.now()))
    if (session.id != call.identity->session) (void)parts_.sessions.end(session.id);
  tell(call, "password.changed", account->name);
  return {};
}

}  // namespace rltune::gateway
