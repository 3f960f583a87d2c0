#include "lane_math.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "rltune/base/random.hpp"

namespace rltune::env {
namespace {

double ulps(double value, long double truth) {
  const double nearest = static_cast<double>(truth);
  const double ulp = std::nextafter(nearest, INFINITY) - nearest;
  return static_cast<double>(std::fabs(static_cast<long double>(value) - truth) / ulp);
}

TEST(lane_exp, is_within_one_ulp_over_its_range) {
  Random random(1);
  double worst = 0.0;
  for (int i = 0; i < 200000; ++i) {
    const double x = random.uniform(-1.0, 1.0) * (i % 2 == 0 ? 700.0 : 5.0);
    worst = std::max(worst, ulps(lane_exp(x), std::exp(static_cast<long double>(x))));
  }
  EXPECT_LT(worst, 1.0);
  EXPECT_EQ(lane_exp(0.0), 1.0);
}

TEST(lane_exp2, is_within_one_ulp_over_its_range) {
  Random random(2);
  double worst = 0.0;
  for (int i = 0; i < 200000; ++i) {
    const double x = random.uniform(-1.0, 1.0) * (i % 2 == 0 ? 1000.0 : 5.0);
    worst = std::max(worst, ulps(lane_exp2(x), std::exp2(static_cast<long double>(x))));
  }
  EXPECT_LT(worst, 1.0);
  EXPECT_EQ(lane_exp2(-3.0), 0.125);
}

TEST(lane_exp, clamps_instead_of_overflowing) {
  EXPECT_TRUE(std::isfinite(lane_exp(1e300)));
  EXPECT_GT(lane_exp(-1e300), 0.0);
}

}  // namespace
}  // namespace rltune::env
