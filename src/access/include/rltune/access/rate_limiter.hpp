// How often each caller may call: a token bucket a key, filled at a steady rate, as large as `burst` (kept as the one
// time at which it will be full again: the generic cell rate algorithm). Time is given by the caller.
//
// Memory is bounded: where there are more keys than `keys_max` whose buckets are not full, those beyond share one
// bucket in each part of the table. Threads: any; two keys seldom wait for each other.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "rltune/base/time.hpp"

namespace rltune::access {

struct Rate {
  double per_second = 10.0;  // > 0
  double burst = 10.0;       // calls at once after a rest, >= 1
};

struct RateVerdict {
  bool allowed = false;
  std::uint64_t remaining = 0;  // calls that would be allowed at once after this one
  Duration retry_after{};       // zero where it was allowed
  Duration full_after{};        // until the whole burst is there again
};

class RateLimiter {
 public:
  explicit RateLimiter(Rate rate, std::size_t keys_max = 100'000);
  ~RateLimiter();
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  // Counts one call of `key` at `now` of a clock that does not go back (Clock::steady); small differences between
  // threads do no harm.
  RateVerdict take(std::string_view key, Duration now);

  std::size_t keys() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rltune::access
