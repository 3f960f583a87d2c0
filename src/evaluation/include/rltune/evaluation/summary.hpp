// Figures over episodes: interquartile means with bootstrap intervals (Agarwal et al. 2021, arXiv 2108.13264), and
// the paired comparison of two controllers on the same seasons.
#pragma once

#include <vector>

#include "rltune/base/statistics.hpp"
#include "rltune/evaluation/evaluate.hpp"

namespace rltune::evaluation {

struct Summary {
  std::size_t episodes = 0;
  double mean = 0.0, interquartile_mean = 0.0, minimum = 0.0, maximum = 0.0;
  Interval interval;                  // of the interquartile mean, 95 %
  std::vector<double> terms;          // means, in the plant's order
  std::vector<Violation> violations;  // steps and unit-hours summed, the worst of all
  std::size_t holds = 0, faults = 0, failures = 0;
  double decision_us_p50 = 0.0, decision_us_p99 = 0.0;  // the worst episode's
};

// REQUIRES: not empty, of one plant.
Summary summarize(const std::vector<Episode>& episodes);

struct PairedGain {
  double mean = 0.0, interquartile_mean = 0.0;
  Interval mean_interval;  // 95 %; its low end above 0 says that the first is better
  Interval interquartile_mean_interval;
  std::size_t wins = 0, episodes = 0;
  double unit_hours = 0.0, unit_hours_against = 0.0;  // over all limits, each as a share of its band: comparable sums
};

// Errors: mismatch where the episodes are not of the same seasons.
Result<PairedGain> compare(const std::vector<Episode>& episodes, const std::vector<Episode>& against);

}  // namespace rltune::evaluation
