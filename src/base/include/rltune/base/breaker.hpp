// A circuit breaker before somebody who may be away: after some failures in a row nobody is asked for a while (open),
// then one is let through as a trial (half open): it closes the breaker, or keeps it open for longer. The waits are
// those of a Backoff, part of them random, so that many who wait for one do not come back in step.
//
// Threads: one. Memory: none of its own.
#pragma once

#include <algorithm>
#include <cstdint>

#include "rltune/base/backoff.hpp"
#include "rltune/base/random.hpp"

namespace rltune {

class Breaker {
 public:
  enum class State : std::uint8_t { closed, half_open, open };

  struct Policy {
    int failures_max = 3;  // in a row, before it opens
    Duration wait_first{}, wait_max{};
    double jitter = 0.5;  // this part of each wait is random
    std::uint64_t seed = 1;
  };
  explicit Breaker(const Policy& policy) noexcept
      : policy_(policy), backoff_(policy.wait_first, policy.wait_max), random_(policy.seed) {}

  // Whether to ask now. `now`: steady, as everywhere here.
  bool allows(Duration now) noexcept {
    if (state_ == State::open && now >= try_at_) state_ = State::half_open;
    return state_ != State::open;
  }
  void succeeded() noexcept {
    state_ = State::closed;
    failures_ = 0;
    backoff_.reset();
  }
  // `wait_max`: less than the policy's, for a failure after which a longer wait serves nobody.
  void failed(Duration now, Duration wait_max = Duration::max()) noexcept {
    ++failures_sum_;
    if (++failures_ < policy_.failures_max && state_ == State::closed) return;
    if (state_ == State::closed) ++openings_;
    if (state_ == State::closed) backoff_.next();  // its first is no wait at all
    state_ = State::open;
    const Duration wait = std::min(backoff_.next(), wait_max);
    try_at_ = now + std::chrono::duration_cast<Duration>(wait * random_.uniform(1.0 - policy_.jitter, 1.0));
  }

  State state() const noexcept { return state_; }
  Duration try_at() const noexcept { return try_at_; }  // while it is open
  std::uint64_t openings() const noexcept { return openings_; }
  std::uint64_t failures() const noexcept { return failures_sum_; }

  // What others are told of it.
  struct Figures {
    State state = State::closed;
    std::uint64_t openings = 0, failures = 0;
  };
  Figures figures() const noexcept { return {state_, openings_, failures_sum_}; }

 private:
  Policy policy_;
  Backoff backoff_;
  Random random_;
  State state_ = State::closed;
  int failures_ = 0;
  std::uint64_t failures_sum_ = 0, openings_ = 0;
  Duration try_at_{};
};

}  // namespace rltune
