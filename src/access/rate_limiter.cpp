#include "rltune/access/rate_limiter.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <string>
#include <unordered_map>

#include "rltune/base/check.hpp"

namespace rltune::access {
namespace {

constexpr std::size_t kParts = 64;

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

}  // namespace

struct RateLimiter::State {
  // Nanoseconds are kept as real numbers: at 100,000 calls a second a whole number of them would be off by up to 1e-4.
  using FullAt = double;

  struct alignas(64) Part {
    mutable std::mutex mutex;
    std::unordered_map<std::string, FullAt, Hash, std::equal_to<>> full_at;
    FullAt beyond = 0.0;  // of the keys that found no room
    Duration swept{};
  };

  State(Rate rate, std::size_t keys_max)
      : interval_ns(1e9 / rate.per_second),
        burst_ns(interval_ns * rate.burst),
        keys_of_part(std::max<std::size_t>(keys_max / kParts, 1)) {}

  FullAt& bucket(Part& part, std::string_view key, Duration now) const {
    if (const auto found = part.full_at.find(key); found != part.full_at.end()) return found->second;
    if (part.full_at.size() >= keys_of_part) sweep(part, now);
    if (part.full_at.size() >= keys_of_part) return part.beyond;
    return part.full_at.emplace(key, static_cast<double>(now.count())).first->second;
  }

  // Full buckets are as good as none. At most once in the time that fills one: an attacker with many keys must not make
  // every call look through all of them.
  void sweep(Part& part, Duration now) const {
    if (part.swept != Duration{} && static_cast<double>((now - part.swept).count()) < burst_ns) return;
    part.swept = now;
    std::erase_if(part.full_at, [&](const auto& entry) { return entry.second <= static_cast<double>(now.count()); });
  }

  const double interval_ns, burst_ns;
  const std::size_t keys_of_part;
  std::array<Part, kParts> parts;
};

RateLimiter::RateLimiter(Rate rate, std::size_t keys_max) {
  RLTUNE_CHECK(rate.per_second > 0.0 && rate.burst >= 1.0);
  state_ = std::make_unique<State>(rate, keys_max);
}

RateLimiter::~RateLimiter() = default;

RateVerdict RateLimiter::take(std::string_view key, Duration now) {
  const auto at = static_cast<double>(now.count());
  State::Part& part = state_->parts[Hash{}(key) % kParts];
  double full_at = 0.0;
  bool allowed = false;
  {
    const std::scoped_lock lock(part.mutex);
    double& known = state_->bucket(part, key, now);
    full_at = std::max(known, at) + state_->interval_ns;
    // A billionth of an interval: what rounding costs must not cost a call.
    allowed = full_at - at <= state_->burst_ns + 1e-9 * state_->interval_ns;
    if (allowed)
      known = full_at;
    else
      full_at = known;
  }
  const double left_ns = std::max(full_at - at, 0.0);
  const auto ns = [](double value) { return Duration(static_cast<std::int64_t>(std::ceil(std::max(value, 0.0)))); };
  return {
      .allowed = allowed,
      .remaining = static_cast<std::uint64_t>(std::max((state_->burst_ns - left_ns) / state_->interval_ns + 1e-6, 0.0)),
      .retry_after = allowed ? Duration{} : ns(left_ns + state_->interval_ns - state_->burst_ns),
      .full_after = ns(left_ns)};
}

std::size_t RateLimiter::keys() const {
  std::size_t sum = 0;
  for (const State::Part& part : state_->parts) {
    const std::scoped_lock lock(part.mutex);
    sum += part.full_at.size();
  }
  return sum;
}

}  // namespace rltune::access
