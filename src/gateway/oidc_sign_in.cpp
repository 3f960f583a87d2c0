#include "oidc_sign_in.hpp"

#include <algorithm>
#include <format>

#include "cookies.hpp"
#include "door.hpp"
#include "rltune/base/log.hpp"

namespace rltune::gateway {
namespace {

constexpr std::size_t kWaitingMax = 32, kCodeMax = 2'048, kErrorMax = 64;
constexpr std::string_view kCallback = "/api/v1/auth/oidc/callback", kHome = "/";

std::string in_query(const Call& call, const std::string& name) {
  const auto found = call.parameters.values.find(name);
  return found == call.parameters.values.end() ? std::string() : found->second;
}

std::string forget_attempt() { return set_cookie(kAttemptCookie, "", std::chrono::seconds(0), SameSite::lax); }

// users.yaml has changed meanwhile, or the gateway ends.
Answer later() { return {.status = 503, .headers = {{"Retry-After", "1"}}, .detail = "try again"}; }

// RFC 6749, 4.1.2.1 has a list of words; a provider may have more, of the same letters.
bool is_error_word(std::string_view text) {
  return text.size() <= kErrorMax &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

}  // namespace

OidcSignIn::OidcSignIn(Parts parts)
    : parts_(std::move(parts)), addresses_({.per_second = 0.5, .burst = 20.0}), worker_(1, kWaitingMax) {}

OidcSignIn::~OidcSignIn() {
  const std::scoped_lock lock(mutex_);
  stopping_ = true;
  if (provider_) provider_->cancel();
}

Handlers OidcSignIn::handlers() {
  Handlers handlers;
  handlers.emplace("oidcLogin", waiting(&OidcSignIn::begin));
  handlers.emplace("oidcCallback", waiting(&OidcSignIn::end));
  return handlers;
}

Handler OidcSignIn::waiting(Work work) {
  return [this, work](const CallPointer& call, const Done& done) {
    if (!parts_.accounts.oauth()) return done(refuse(404, "users.yaml names no provider (oauth): sign in by password"));
    const auto verdict = addresses_.take(limited_address(call->address), parts_.clock.steady());
    const bool taken = verdict.allowed && worker_.post([this, work, call, done] {
      const log::Correlation correlation(call->correlation_id);
      done((this->*work)(*call));
    });
    if (!taken)
      done({.status = verdict.allowed ? 503 : 429,
            .headers = {{"Retry-After", "2"}},
            .detail = "many sign in at once; try again in a moment"});
  };
}

// As users.yaml has it now. nullptr: it names none, or the role ends.
IdentityProvider* OidcSignIn::provider() {
  const auto oauth = parts_.accounts.oauth();
  const std::scoped_lock lock(mutex_);
  if (!oauth || stopping_) return nullptr;
  if (!provider_ || provider_->oauth() != *oauth) {
    const std::string& own = oauth->public_url.empty() ? parts_.own_url : oauth->public_url;
    provider_ = std::make_shared<IdentityProvider>(*oauth, own + std::string(kCallback), parts_.clock);
  }
  return provider_.get();
}

Answer OidcSignIn::begin(const Call& call) {
  IdentityProvider* const at = provider();
  if (at == nullptr) return later();
  const Attempt attempt = attempts_.begin(parts_.clock.now());
  auto url = at->url_for(attempt);
  if (!url) return refuse_provider(call, url.error());
  return {.status = 302,
          .cookies = {set_cookie(kAttemptCookie, attempt.cookie, kAttemptLife, SameSite::lax)},
          .headers = {{"Location", std::move(*url)}}};
}

Answer OidcSignIn::refuse_provider(const Call& call, const Error& error) {
  parts_.sign_in.tell(call, "sign_in.failed", {}, "at the provider: " + error.message);
  if (error.code == Errc::denied) return refuse(401, "the provider's answer is not believed: begin again");
  log::error("nobody can sign in by the provider", {{"reason", error.message}});
  return {.status = 502,
          .cookies = {forget_attempt()},
          .headers = {{"Retry-After", "10"}},
          .detail = "the provider of sign-in cannot be used now; a password still signs in"};
}

Answer OidcSignIn::end(const Call& call) {
  if (!call.parameters.twice.empty()) return refuse(422, kParametersWrong);  // RFC 6749, 3.1
  const auto attempt = attempts_.take(call.attempt_cookie, in_query(call, "state"), parts_.clock.now());
  if (!attempt) {
    parts_.sign_in.tell(call, "sign_in.failed", {}, "an attempt that was not begun in this browser, is over, or used");
    return refuse(401, "this attempt was not begun in this browser, is over, or was used: begin again");
  }
  const std::string code = in_query(call, "code"), error = in_query(call, "error");
  if (code.empty() || code.size() > kCodeMax || !error.empty()) {
    const std::string word = is_error_word(error) ? error : std::string();
    parts_.sign_in.tell(call, "sign_in.failed", {}, "the provider says no: " + word);
    return refuse(401, "the provider did not let you in; it says: " + word);
  }
  IdentityProvider* const at = provider();
  if (at == nullptr) return later();
  const auto user = at->user_of(code, in_query(call, "iss"), *attempt);
  if (!user) return refuse_provider(call, user.error());
  return let_in(call, *user);
}

Answer OidcSignIn::let_in(const Call& call, const std::string& user) {
  const auto account = parts_.accounts.find(user);
  if (!account || account->role == api::Role::service) {
    parts_.sign_in.tell(call, "sign_in.failed", account ? account->name : std::string(),
                        std::format("the provider knows '{}', and no person of that name may sign in here", user));
    return refuse(403, "the provider knows you, and no person of that name may sign in here: ask an administrator");
  }
  Answer begun = parts_.sign_in.begin_session(call, *account, true, "by the provider");
  if (begun.status != 200) return begun;
  begun.cookies.push_back(forget_attempt());
  return {.status = 302, .cookies = std::move(begun.cookies), .headers = {{"Location", std::string(kHome)}}};
}

}  // namespace rltune::gateway
