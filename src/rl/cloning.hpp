// What draws a policy to the actions of the data: the losses of the offline algorithms in the policy's actions.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "batch.hpp"
#include "normal.hpp"

namespace rltune::rl {

// loss = weight sum (pi(s) - a)^2 / actions, where pi(s) stands in the batch; adds its slope in pi(s).
inline double cloning_loss(const Batch& batch, float weight, std::span<float> action_gradient) {
  const float each = weight / static_cast<float>(batch.actions);
  double loss = 0.0;
  for (std::size_t row = 0; row < batch.rows; ++row)
    for (std::size_t k = 0; k < batch.actions; ++k) {
      const std::size_t at = row * batch.actions + k;
      const float error = batch.action(row)[k] - batch.taken[at];
      action_gradient[at] += 2.0F * each * error;
      loss += static_cast<double>(each * error * error);
    }
  return loss;
}

// loss = -sum weights[row] log p(a | s), p normal around pi(s) with one deviation an action: writes its slopes in pi(s)
// and in the log deviations.
inline double likelihood_loss(const Batch& batch, std::span<const float> weights, std::span<const float> log_std,
                              std::span<float> action_gradient, std::span<float> log_std_gradient) {
  std::ranges::fill(log_std_gradient, 0.0F);
  double loss = 0.0;
  for (std::size_t row = 0; row < batch.rows; ++row)
    for (std::size_t k = 0; k < batch.actions; ++k) {
      const std::size_t at = row * batch.actions + k;
      const float inverse = std::exp(-log_std[k]);
      const float z = (batch.taken[at] - batch.action(row)[k]) * inverse;
      action_gradient[at] = -weights[row] * z * inverse;
      log_std_gradient[k] -= weights[row] * (z * z - 1.0F);
      loss += static_cast<double>(weights[row] * (0.5F * z * z + log_std[k] + kHalfLogTwoPi));
    }
  return loss;
}

}  // namespace rltune::rl
