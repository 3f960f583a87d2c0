// Gaussian action distributions over rows x actions tables, with the gradients that policies need.
#pragma once

#include <cstddef>
#include <span>

namespace rltune::nn {

// The squashed Gaussian of soft actor-critic (Haarnoja et al. 2018, arXiv 1801.01290, appendix C):
//   u = mean + deviation * noise,  a = tanh(u),
//   log p(a) = sum_i [ -noise_i^2 / 2 - log deviation_i - log(2 pi) / 2 - log(1 - a_i^2) ]
// log deviation is the network's output squashed smoothly into [low, high].
struct SquashedGaussian {
  std::size_t actions = 0;
  float log_deviation_low = -5.0F;
  float log_deviation_high = 2.0F;

  // `head` is rows x 2 actions (means, then raw log deviations), `noise` rows x actions, standard normal.
  // Writes the actions with `action_stride` floats between rows, and log p of each row.
  void sample(std::span<const float> head, std::span<const float> noise, float* action, std::size_t action_stride,
              std::span<float> log_probability) const noexcept;

  // Gradient of sum over rows of [ entropy_weight * log p(a) + action_gradient . a ] in the head
  // (reparameterised: noise fixed), with `action` as sample() wrote it.
  void backward(std::span<const float> head, std::span<const float> noise, const float* action,
                std::size_t action_stride, std::span<const float> action_gradient, float entropy_weight,
                std::span<float> head_gradient) const noexcept;
};

}  // namespace rltune::nn
