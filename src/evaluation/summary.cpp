#include "rltune/evaluation/summary.hpp"

#include <algorithm>

#include "rltune/base/check.hpp"

namespace rltune::evaluation {
namespace {

std::vector<double> totals(const std::vector<Episode>& episodes) {
  std::vector<double> result;
  for (const Episode& episode : episodes) result.push_back(episode.total);
  return result;
}

// Violations of different units in one number: each as a share of its band's width, in hours.
double band_hours(const std::vector<Episode>& episodes) {
  double sum = 0.0;
  for (const Episode& episode : episodes)
    for (const Violation& limit : episode.violations)
      if (limit.high > limit.low) sum += limit.unit_hours / (limit.high - limit.low);
  return sum;
}

}  // namespace

Summary summarize(const std::vector<Episode>& episodes) {
  RLTUNE_CHECK(!episodes.empty());
  const std::vector<double> returns = totals(episodes);
  Summary summary{
      .episodes = episodes.size(), .mean = mean(returns), .interquartile_mean = interquartile_mean(returns)};
  std::tie(summary.minimum, summary.maximum) = std::pair(std::ranges::min(returns), std::ranges::max(returns));
  summary.interval = bootstrap(returns, interquartile_mean);
  summary.terms.resize(episodes.front().terms.size());
  summary.violations = episodes.front().violations;
  for (Violation& limit : summary.violations) limit.steps = 0, limit.unit_hours = 0.0, limit.worst = 0.0;
  for (const Episode& episode : episodes) {
    for (std::size_t t = 0; t < summary.terms.size(); ++t)
      summary.terms[t] += episode.terms[t] / static_cast<double>(episodes.size());
    for (std::size_t v = 0; v < summary.violations.size(); ++v) {
      summary.violations[v].steps += episode.violations[v].steps;
      summary.violations[v].unit_hours += episode.violations[v].unit_hours;
      summary.violations[v].worst = std::max(summary.violations[v].worst, episode.violations[v].worst);
    }
    summary.holds += episode.holds;
    summary.faults += episode.faults;
    summary.failures += episode.failed;
    summary.decision_us_p50 = std::max(summary.decision_us_p50, episode.decision_us_p50);
    summary.decision_us_p99 = std::max(summary.decision_us_p99, episode.decision_us_p99);
  }
  return summary;
}

Result<PairedGain> compare(const std::vector<Episode>& episodes, const std::vector<Episode>& against) {
  if (episodes.empty() || episodes.size() != against.size())
    return fail(Errc::mismatch, "a paired comparison needs the same seasons on both sides");
  std::vector<double> gains;
  PairedGain gain{.episodes = episodes.size()};
  for (std::size_t i = 0; i < episodes.size(); ++i) {
    if (episodes[i].label != against[i].label || episodes[i].seed != against[i].seed)
      return fail(Errc::mismatch, "a paired comparison needs the same seasons on both sides, in the same order");
    gains.push_back(episodes[i].total - against[i].total);
    gain.wins += gains.back() > 0.0;
  }
  gain.mean = mean(gains);
  gain.interquartile_mean = interquartile_mean(gains);
  gain.mean_interval = bootstrap(gains, mean);
  gain.interquartile_mean_interval = bootstrap(gains, interquartile_mean);
  gain.unit_hours = band_hours(episodes);
  gain.unit_hours_against = band_hours(against);
  return gain;
}

}  // namespace rltune::evaluation
