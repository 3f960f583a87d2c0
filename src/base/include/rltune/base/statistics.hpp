// Statistics of evaluations: interquartile mean and bootstrap intervals, as Agarwal et al. 2021
// (arXiv 2108.13264) recommend over a mean of few runs.
#pragma once

#include <cstdint>
#include <span>

namespace rltune {

struct Interval {
  double low = 0.0;
  double high = 0.0;
};

double mean(std::span<const double> values);
// Linear interpolation between order statistics; q in [0, 1]. REQUIRES: not empty.
double quantile(std::span<const double> values, double q);
// Mean of the values between the quartiles, cut fractionally. REQUIRES: not empty.
double interquartile_mean(std::span<const double> values);
// Percentile bootstrap of the given statistic: resamples with replacement, the same seed the same interval.
using Statistic = double (*)(std::span<const double>);
Interval bootstrap(std::span<const double> values, Statistic statistic, double confidence = 0.95, int resamples = 2000,
                   std::uint64_t seed = 1);

}  // namespace rltune
