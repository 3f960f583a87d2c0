#include "rollout.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "rltune/base/check.hpp"

namespace rltune::rl {

Rollout::Rollout(const RolloutShape& of)
    : shape(of),
      observations(size() * of.observations),
      actions(size() * of.actions),
      log_probability(size()),
      rewards(size()),
      costs(size() * of.costs),
      values(size()),
      next_values(size()),
      advantages(size()),
      returns(size()),
      ends(size()),
      masks(size() * of.choices),
      ahead_(of.instances) {}

void Rollout::store_masks(std::span<const std::uint8_t> allowed) {
  if (masks.empty()) return;
  std::uint8_t* out = &masks[row() * shape.choices];
  if (allowed.empty())
    std::fill_n(out, shape.instances * shape.choices, std::uint8_t{1});
  else
    std::ranges::copy(allowed, out);
}

bool Rollout::store(const Transitions& t) {
  RLTUNE_CHECK(t.rewards.size() == shape.instances && !complete() && t.costs.size() >= shape.instances * shape.costs);
  bool any_truncated = false;
  for (std::size_t i = 0; i < shape.instances; ++i) {
    rewards[row() + i] = t.rewards[i];
    ends[row() + i] = t.terminated[i] != 0 ? terminated : t.truncated[i] != 0 ? truncated : goes_on;
    any_truncated = any_truncated || ends[row() + i] == truncated;
  }
  std::copy_n(t.costs.begin(), shape.instances * shape.costs,
              costs.begin() + static_cast<std::ptrdiff_t>(row() * shape.costs));
  ++time;
  return any_truncated || complete();
}

void Rollout::estimate_advantages(double gamma, double lambda) {
  std::ranges::fill(ahead_, 0.0);
  for (std::size_t t = shape.steps; t-- > 0;) {
    const bool last = t + 1 == shape.steps;
    for (std::size_t i = 0; i < shape.instances; ++i) {
      const std::size_t at = t * shape.instances + i;
      const bool stored = last || ends[at] == truncated;
      const double next =
          ends[at] == terminated ? 0.0 : static_cast<double>(stored ? next_values[at] : values[at + shape.instances]);
      const double ahead = ends[at] == goes_on ? ahead_[i] : 0.0, value = static_cast<double>(values[at]);
      const double advantage = static_cast<double>(rewards[at]) + gamma * next - value + gamma * lambda * ahead;
      ahead_[i] = advantage;
      advantages[at] = static_cast<float>(advantage);
      returns[at] = static_cast<float>(advantage + value);
    }
  }
  standardise_advantages();
}

// Sums in chains of their own: one addition need not wait for the one before.
void Rollout::standardise_advantages() {
  constexpr std::size_t kChains = 8;
  const auto sum_of = [this](auto term) {
    std::array<double, kChains> chains{};
    const std::size_t whole = size() / kChains * kChains;
    for (std::size_t at = 0; at < whole; at += kChains)
      for (std::size_t c = 0; c < kChains; ++c) chains[c] += term(static_cast<double>(advantages[at + c]));
    for (std::size_t at = whole; at < size(); ++at) chains[at - whole] += term(static_cast<double>(advantages[at]));
    return std::accumulate(chains.begin(), chains.end(), 0.0);
  };
  const double mean = sum_of([](double advantage) { return advantage; }) / static_cast<double>(size());
  const double square = sum_of([mean](double advantage) { return (advantage - mean) * (advantage - mean); });
  const double scale = 1.0 / (std::sqrt(square / static_cast<double>(size())) + 1e-8);
  for (float& advantage : advantages) advantage = static_cast<float>((static_cast<double>(advantage) - mean) * scale);
}

double Rollout::explained_variance() const {
  double error = 0.0, square = 0.0, mean = 0.0;
  for (std::size_t at = 0; at < size(); ++at) {
    const double value = static_cast<double>(returns[at]), away = value - static_cast<double>(values[at]);
    mean += value;
    square += value * value;
    error += away * away;
  }
  const double count = static_cast<double>(size());
  const double variance = square / count - (mean / count) * (mean / count);
  return variance > 0.0 ? 1.0 - error / count / variance : 0.0;
}

double Rollout::mean_value() const {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value);
  return sum / static_cast<double>(size());
}

void Rollout::archive(Archive& archive) {
  archive.value(time);
  for (nn::AlignedFloats* table : {&observations, &actions, &log_probability, &rewards, &costs, &next_values})
    archive.values(std::span<float>(*table));
  archive.values(std::span(ends));
  archive.values(std::span(masks));
}

}  // namespace rltune::rl
