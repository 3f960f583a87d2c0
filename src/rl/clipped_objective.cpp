#include "clipped_objective.hpp"

#include <algorithm>

#include "rltune/nn/elementwise.hpp"

namespace rltune::rl {

PolicyLoss clipped_objective(const Rollout& rollout, std::span<const std::uint32_t> order,
                             std::span<const float> log_probability, std::span<const float> entropy, double range,
                             float weight, std::span<float> slope) {
  const float low = static_cast<float>(1.0 - range), high = static_cast<float>(1.0 + range);
  const auto log_ratio_of = [&](std::size_t row) { return log_probability[row] - rollout.log_probability[order[row]]; };
  PolicyLoss sum;
  for (std::size_t row = 0; row < order.size(); ++row) slope[row] = log_ratio_of(row);
  nn::exponentiate(slope.first(order.size()));
  for (std::size_t row = 0; row < order.size(); ++row) {
    const float log_ratio = log_ratio_of(row), ratio = slope[row], advantage = rollout.advantages[order[row]];
    const bool clipped = advantage > 0.0F ? ratio > high : ratio < low;
    slope[row] = clipped ? 0.0F : -weight * advantage * ratio;
    sum.loss -= static_cast<double>(weight * std::min(ratio * advantage, std::clamp(ratio, low, high) * advantage));
    sum.clipped += static_cast<double>(clipped ? weight : 0.0F);
    sum.divergence += static_cast<double>(weight * (ratio - 1.0F - log_ratio));
    sum.entropy += static_cast<double>(weight * entropy[row]);
  }
  return sum;
}

double value_loss(const Rollout& rollout, std::span<const std::uint32_t> order, std::span<const float> value,
                  const ValueScale& scale, float weight, std::span<float> slope) {
  const float inverse = static_cast<float>(1.0 / scale.deviation()), shift = static_cast<float>(scale.mean());
  double loss = 0.0;
  for (std::size_t row = 0; row < order.size(); ++row) {
    const float error = value[row] - (rollout.returns[order[row]] - shift) * inverse;
    slope[row] = weight * error;
    loss += static_cast<double>(0.5F * weight * error * error);
  }
  return loss;
}

}  // namespace rltune::rl
