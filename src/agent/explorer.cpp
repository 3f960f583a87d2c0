#include "explorer.hpp"

#include <algorithm>

#include "rltune/base/check.hpp"

namespace rltune::agent {

Explorer::Explorer(const config::Agent& agent, std::uint64_t seed) : random_(seed) {
  for (const std::string& output : agent.outputs) {
    const auto range = agent.learning.explore_within.find(output);
    RLTUNE_CHECK(range != agent.learning.explore_within.end());
    within_.push_back(range->second);
  }
  added_.resize(within_.size());
}

std::span<const double> Explorer::explore(std::span<double> values) noexcept {
  RLTUNE_CHECK(values.size() == within_.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const config::Range& range = within_[i];
    const auto inside = [&range](double value) { return value >= range.low && value <= range.high; };
    const double noise = kDeviation * (range.high - range.low) * random_.normal();
    const double tried = std::clamp(values[i] + noise, range.low, range.high);
    const double added = tried - values[i];
    // The sum may round to beyond the range.
    added_[i] = inside(values[i]) && inside(values[i] + added) ? added : 0.0;
    if (added_[i] != 0.0) values[i] += added_[i];
  }
  return added_;
}

}  // namespace rltune::agent
