#include "rltune/nn/adam.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace rltune::nn {
namespace {

// Algorithm 1 of the paper, in double precision.
TEST(Adam, follows_the_paper) {
  Adam adam(3);
  AlignedFloats parameters{1.0F, -2.0F, 0.5F};
  std::array<double, 3> expected{1.0, -2.0, 0.5}, m{}, v{};
  for (int t = 1; t <= 50; ++t) {
    AlignedFloats gradient(3);
    for (std::size_t i = 0; i < 3; ++i) gradient[i] = std::sin(static_cast<float>(t) + static_cast<float>(i));
    adam.step(parameters, gradient, {.learning_rate = 0.01F}, 0.5F);
    for (std::size_t i = 0; i < 3; ++i) {
      const double g = 0.5 * static_cast<double>(gradient[i]);
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g * g;
      const double corrected = m[i] / (1.0 - std::pow(0.9, t));
      expected[i] -= 0.01 * corrected / (std::sqrt(v[i] / (1.0 - std::pow(0.999, t))) + 1e-8);
      EXPECT_NEAR(parameters[i], expected[i], 2e-5);
    }
  }
}

TEST(Adam, weight_decay_shrinks_what_has_no_gradient) {
  Adam adam(1);
  AlignedFloats parameters{1.0F}, gradient{0.0F};
  adam.step(parameters, gradient, {.learning_rate = 0.1F, .weight_decay = 0.5F});
  EXPECT_FLOAT_EQ(parameters[0], 0.95F);
}

TEST(Adam, gradients_are_clipped_by_their_norm) {
  const AlignedFloats gradient{3.0F, 4.0F};
  EXPECT_FLOAT_EQ(squared_norm(gradient), 25.0F);
  EXPECT_FLOAT_EQ(clip_factor(25.0F, 0.5F), 0.1F);
  EXPECT_FLOAT_EQ(clip_factor(25.0F, 10.0F), 1.0F);
  EXPECT_FLOAT_EQ(clip_factor(25.0F, 0.0F), 1.0F);
}

TEST(Adam, slow_targets_move_a_fraction_of_the_way) {
  const AlignedFloats source{1.0F, 2.0F};
  AlignedFloats target{0.0F, 4.0F};
  follow(source, target, 0.25F);
  EXPECT_FLOAT_EQ(target[0], 0.25F);
  EXPECT_FLOAT_EQ(target[1], 3.5F);
}

}  // namespace
}  // namespace rltune::nn
