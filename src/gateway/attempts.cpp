#include "attempts.hpp"

#include <openssl/sha.h>

#include <charconv>
#include <format>

#include "rltune/access/base64url.hpp"
#include "rltune/access/secret.hpp"

namespace rltune::gateway {
namespace {

// When it was begun, as it says; nullopt: nothing that begin() wrote.
std::optional<TimePoint> begun_in(std::string_view cookie) {
  const std::size_t dot = cookie.find('.');
  std::int64_t seconds = 0;
  const auto read = std::from_chars(cookie.data(), cookie.data() + std::min(dot, cookie.size()), seconds);
  if (dot == std::string_view::npos || read.ptr != cookie.data() + dot || read.ec != std::errc() || seconds < 0 ||
      seconds > 9'000'000'000 || !access::is_secret(cookie.substr(dot + 1)))
    return std::nullopt;
  return TimePoint(std::chrono::seconds(seconds));
}

}  // namespace

std::string Attempt::challenge() const {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  ::SHA256(reinterpret_cast<const unsigned char*>(verifier.data()), verifier.size(), digest.data());
  return access::to_base64url(digest);
}

Attempt Attempts::of(std::string_view cookie) const {
  const auto part = [&](const char* name) { return hash_.of(std::format("{} {}", name, cookie)); };
  return {.cookie = std::string(cookie), .state = part("state"), .nonce = part("nonce"), .verifier = part("verifier")};
}

Attempt Attempts::begin(TimePoint now) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  return of(std::format("{}.{}", seconds, access::make_secret()));
}

std::optional<Attempt> Attempts::take(std::string_view cookie, std::string_view state, TimePoint now) {
  const auto begun = begun_in(cookie);
  if (!begun || *begun > now || now - *begun >= kAttemptLife) return std::nullopt;
  Attempt attempt = of(cookie);
  if (!access::same_hash(attempt.state, state)) return std::nullopt;
  const std::scoped_lock lock(mutex_);
  for (; !order_.empty() && order_.front().first <= now; order_.pop_front()) used_.erase(order_.front().second);
  if (used_.size() >= used_max_ || !used_.insert(attempt.state).second) return std::nullopt;
  order_.emplace_back(now + kAttemptLife, attempt.state);
  return attempt;
}

}  // namespace rltune::gateway
