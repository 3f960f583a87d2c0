// Latencies as counts in buckets an eighth of an octave wide, from 1 us to over an hour: quantiles within
// 9 %, fixed memory, no allocation.
#pragma once

#include <array>
#include <cstdint>

#include "rltune/base/time.hpp"

namespace rltune::io {

class LatencyHistogram {
 public:
  void add(Duration latency) noexcept;
  // Upper edge of the bucket that holds the quantile, in microseconds; 0 when empty. q in [0, 1].
  double quantile_us(double q) const noexcept;
  std::uint64_t count() const noexcept { return count_; }

 private:
  static constexpr int kPerOctave = 8;
  std::array<std::uint64_t, 33 * kPerOctave> buckets_{};
  std::uint64_t count_ = 0;
};

}  // namespace rltune::io
