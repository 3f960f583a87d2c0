#include "rltune/nn/elementwise.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "elementary.hpp"

namespace rltune::nn {
namespace {

TEST(exponentiate, is_near_the_library_and_clipped_at_its_ends) {
  std::vector<float> x;
  for (int i = -8600; i <= 8700; ++i) x.push_back(0.01F * static_cast<float>(i));
  std::vector<float> y = x;
  exponentiate(y);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double exact = std::exp(static_cast<double>(x[i]));
    EXPECT_NEAR(static_cast<double>(y[i]) / exact, 1.0, 2.5e-7) << x[i];
  }
  std::vector<float> ends{-1000.0F, 1000.0F, std::numeric_limits<float>::quiet_NaN()};
  exponentiate(ends);
  EXPECT_GT(ends[0], 0.0F);
  EXPECT_TRUE(std::isfinite(ends[1]));
  EXPECT_TRUE(std::isnan(ends[2]));
}

TEST(vector_reciprocal, is_within_its_error) {
  for (double x = 1e-30; x < 1e30; x *= 1.0007)
    EXPECT_NEAR(x * static_cast<double>(vector_reciprocal(static_cast<float>(x))), 1.0, 3e-7) << x;
}

TEST(vector_tanh, is_within_its_error_and_inside_the_open_interval) {
  for (float x = -12.0F; x <= 12.0F; x += 0.0009F) {
    const float y = vector_tanh(x);
    EXPECT_NEAR(y, std::tanh(x), 8e-7F) << x;
    EXPECT_LT(std::abs(y), 1.0F) << x;
  }
  for (float x = 1e-30F; x < 1.0F; x *= 1.01F) EXPECT_NEAR(vector_tanh(x) / std::tanh(x), 1.0F, 8e-7F) << x;
}

}  // namespace
}  // namespace rltune::nn
