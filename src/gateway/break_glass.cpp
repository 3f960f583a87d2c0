#include "break_glass.hpp"

#include <cmath>
#include <format>

#include "cookies.hpp"
#include "door.hpp"
#include "rltune/access/secret.hpp"
#include "rltune/base/log.hpp"

namespace rltune::gateway {
namespace {

constexpr std::size_t kShownAtOnce = 8;
constexpr access::Rate kShownRate{.per_second = 1.0 / 12.0, .burst = 5.0};

Answer not_now(int status, Duration after, std::string detail) {
  return {.status = status,
          .headers = {{"Retry-After", std::format("{:.0f}", std::ceil(to_seconds(after)))}},
          .detail = std::move(detail)};
}

}  // namespace

BreakGlass::BreakGlass(Parts parts)
    : parts_(std::move(parts)), sealed_(parts_.file), addresses_(kShownRate), worker_(1, kShownAtOnce) {}

Handlers BreakGlass::handlers() {
  Handlers handlers;
  handlers.emplace("breakGlass", taking<api::BreakGlass>([this](const CallPointer& call, const api::BreakGlass& shown,
                                                                const Done& done) {
                     const auto verdict = addresses_.take(limited_address(call->address), parts_.clock.steady());
                     if (!verdict.allowed)
                       return done(not_now(429, verdict.retry_after, "too many attempts from this address"));
                     const bool taken = worker_.post([this, call, shown, done] {
                       const log::Correlation correlation(call->correlation_id);
                       done(open(*call, shown));
                     });
                     if (!taken) done(not_now(503, std::chrono::seconds(1), "try again"));
                   }));
  return handlers;
}

Answer BreakGlass::open(const Call& call, const api::BreakGlass& shown) {
  if (shown.reason.find_first_not_of(" \t") == std::string::npos)
    return {.status = 422,
            .detail = "the message is not as it should be",
            .faults = {{"/reason", "has to say why: others will ask"}}};
  const auto right = access::is_secret(shown.secret) ? sealed_.take(shown.secret) : Result<bool>(false);
  if (!right) {
    log::error("the break-glass secret cannot be used", {{"reason", right.error().message}});
    return not_now(503, std::chrono::seconds(10),
                   "the secret cannot be used up, so it lets nobody in; the log says why");
  }
  if (*right) return let_in(call, shown);
  parts_.tell({"break_glass.failed", {}, "a wrong or used secret", call.correlation_id, call.address});
  log::warning("a wrong break-glass secret was shown", {{"address", call.address}});
  return refuse(401,
                "this secret is used, or never was one: make one on the site's host with: rltune user break-glass");
}

Answer BreakGlass::let_in(const Call& call, const api::BreakGlass& shown) {
  const AccountFacts account = break_glass_account();
  const TimePoint now = parts_.clock.now();
  const std::string session = parts_.session.begin(now);
  parts_.tell({"break_glass.used", account.name, shown.reason, call.correlation_id, call.address});
  log::critical("the break-glass account is in use; the audit says why", {{"address", call.address}});
  api::Tokens tokens{.expires_in = static_cast<std::uint64_t>(EmergencySession::kLife.count())};
  std::string token = parts_.credentials.make_access_token(account, session, now);
  if (!shown.cookie.value_or(false)) {
    tokens.access_token = std::move(token);
    return answer(tokens);
  }
  tokens.token_type = "cookie";
  tokens.csrf_token = parts_.credentials.csrf_token(session);
  Answer given = answer(tokens);
  given.cookies = {set_cookie(kAccessCookie, token, EmergencySession::kLife)};
  return given;
}

}  // namespace rltune::gateway
