// How long to wait before the next attempt: not at all before the first, then twice as long each time up
// to a maximum. A span of success starts it anew.
#pragma once

#include <algorithm>

#include "rltune/base/time.hpp"

namespace rltune {

class Backoff {
 public:
  Backoff(Duration first, Duration maximum) noexcept : first_(first), maximum_(maximum) {}

  // The wait before the attempt that comes now.
  Duration next() noexcept {
    const Duration wait = wait_;
    wait_ = wait_ == Duration::zero() ? first_ : std::min(maximum_, 2 * wait_);
    return wait;
  }
  void reset() noexcept { wait_ = Duration::zero(); }

 private:
  Duration first_, maximum_, wait_{};
};

}  // namespace rltune
