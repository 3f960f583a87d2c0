#include "rltune/nn/gaussian.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "rltune/base/random.hpp"
#include "rltune/nn/aligned.hpp"

namespace rltune::nn {
namespace {

constexpr std::size_t kSamples = 50, kActions = 3, kStride = 5;

struct Sampled {
  AlignedFloats head, noise, action, log_probability;
};

Sampled random_sample(const SquashedGaussian& gaussian, std::uint64_t seed) {
  Random random(seed);
  Sampled s{AlignedFloats(kSamples * 2 * kActions), AlignedFloats(kSamples * kActions),
            AlignedFloats(kSamples * kStride), AlignedFloats(kSamples)};
  for (float& value : s.head) value = static_cast<float>(1.5 * random.normal());
  for (float& value : s.noise) value = static_cast<float>(random.normal());
  gaussian.sample(s.head, s.noise, s.action.data(), kStride, s.log_probability);
  return s;
}

TEST(SquashedGaussian, log_probability_is_the_density_after_squashing) {
  const SquashedGaussian gaussian{.actions = kActions};
  const Sampled s = random_sample(gaussian, 1);
  for (std::size_t row = 0; row < kSamples; ++row) {
    double expected = 0.0;
    for (std::size_t i = 0; i < kActions; ++i) {
      const double mean = s.head[row * 6 + i];
      const double log_deviation = -1.5 + 3.5 * std::tanh(static_cast<double>(s.head[row * 6 + 3 + i]));
      const double u = mean + std::exp(log_deviation) * static_cast<double>(s.noise[row * 3 + i]);
      EXPECT_NEAR(s.action[row * kStride + i], std::tanh(u), 1e-6);
      const double z = s.noise[row * 3 + i];
      const double log_slope = 2.0 * (std::numbers::ln2 - u - std::log1p(std::exp(-2.0 * u)));
      expected += -0.5 * z * z - log_deviation - 0.5 * std::log(2.0 * std::numbers::pi) - log_slope;
    }
    EXPECT_NEAR(s.log_probability[row], expected, 1e-4 * (1.0 + std::abs(expected)));
  }
}

TEST(SquashedGaussian, gradient_agrees_with_difference_quotients) {
  const SquashedGaussian gaussian{.actions = kActions};
  Sampled s = random_sample(gaussian, 2);
  Random random(3);
  AlignedFloats weights(kSamples * kActions), gradient(s.head.size());
  for (float& weight : weights) weight = static_cast<float>(random.normal());
  const float entropy_weight = 0.7F;
  gaussian.backward(s.head, s.noise, s.action.data(), kStride, weights, entropy_weight, gradient);
  const auto loss = [&](std::size_t row) {
    AlignedFloats action(kSamples * kStride), log_probability(kSamples);
    gaussian.sample(s.head, s.noise, action.data(), kStride, log_probability);
    double sum = static_cast<double>(entropy_weight * log_probability[row]);
    for (std::size_t i = 0; i < kActions; ++i)
      sum += static_cast<double>(weights[row * kActions + i]) * static_cast<double>(action[row * kStride + i]);
    return sum;
  };
  for (std::size_t i = 0; i < s.head.size(); ++i) {
    const float centre = s.head[i];
    const std::size_t row = i / (2 * kActions);
    s.head[i] = centre + 5e-3F;
    const double high = loss(row);
    s.head[i] = centre - 5e-3F;
    const double low = loss(row);
    s.head[i] = centre;
    const double quotient = (high - low) / 1e-2;
    EXPECT_NEAR(gradient[i], quotient, 0.01 * (1.0 + std::abs(quotient))) << i;
  }
}

}  // namespace
}  // namespace rltune::nn
