// How long something took, over a season.
#pragma once

#include <algorithm>
#include <vector>

#include "rltune/base/statistics.hpp"

namespace rltune::demo {

struct Quantiles {
  double p50 = 0.0, p99 = 0.0, worst = 0.0;
};

// Zeros of nothing.
inline Quantiles quantiles(const std::vector<double>& values) {
  if (values.empty()) return {};
  return {quantile(values, 0.5), quantile(values, 0.99), std::ranges::max(values)};
}

}  // namespace rltune::demo
