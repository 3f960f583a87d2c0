#include "rltune/io/latency.hpp"

#include <algorithm>
#include <cmath>

namespace rltune::io {

void LatencyHistogram::add(Duration latency) noexcept {
  const double microseconds = std::max(1.0, static_cast<double>(latency.count()) / 1e3);
  const auto bucket = static_cast<std::size_t>(std::log2(microseconds) * kPerOctave);
  ++buckets_[std::min(bucket, buckets_.size() - 1)];
  ++count_;
}

double LatencyHistogram::quantile_us(double q) const noexcept {
  if (count_ == 0) return 0.0;
  const auto wanted = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= std::max<std::uint64_t>(wanted, 1)) return std::exp2(static_cast<double>(bucket + 1) / kPerOctave);
  }
  return std::exp2(static_cast<double>(buckets_.size()) / kPerOctave);
}

}  // namespace rltune::io
