// How long to wait before the same is sent again: exponential with full jitter (Brooker, "Exponential Backoff And
// Jitter", AWS Architecture Blog, 2015), and at least as long as the receiver asked for. Internal.
#pragma once

#include <algorithm>
#include <optional>

#include "rltune/base/random.hpp"
#include "rltune/base/time.hpp"

namespace rltune::forward {

class Retry {
 public:
  static constexpr Duration kWishMax = std::chrono::hours(1);

  Retry(Duration first, Duration maximum, std::uint64_t seed) noexcept
      : first_(first), maximum_(maximum), ceiling_(first), random_(seed) {}

  Duration next(std::optional<Duration> wish = std::nullopt) noexcept {
    const auto wait = std::chrono::duration_cast<Duration>(ceiling_ * random_.uniform());
    ceiling_ = std::min(maximum_, 2 * ceiling_);
    return std::max(wait, std::min(wish.value_or(Duration::zero()), kWishMax));
  }
  void reset() noexcept { ceiling_ = first_; }

 private:
  Duration first_, maximum_, ceiling_;
  Random random_;
};

}  // namespace rltune::forward
