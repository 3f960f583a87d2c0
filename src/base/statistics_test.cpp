#include "rltune/base/statistics.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "rltune/base/random.hpp"

namespace rltune {
namespace {

TEST(Statistics, quantile_interpolates) {
  const std::vector<double> values{4.0, 1.0, 3.0, 2.0};
  EXPECT_DOUBLE_EQ(quantile(values, 0.0), 1.0);
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile(values, 1.0), 4.0);
}

TEST(Statistics, interquartile_mean_ignores_the_outer_quarters) {
  EXPECT_DOUBLE_EQ(interquartile_mean(std::vector<double>{-1e9, 1.0, 3.0, 1e9}), 2.0);
  EXPECT_DOUBLE_EQ(interquartile_mean(std::vector<double>{5.0}), 5.0);
}

TEST(Statistics, bootstrap_covers_the_mean_about_as_often_as_it_says) {
  Random random(1);
  int covered = 0;
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<double> values(40);
    for (double& value : values) value = random.normal();
    const Interval interval = bootstrap(values, mean, 0.95, 500, static_cast<std::uint64_t>(trial));
    covered += interval.low <= 0.0 && 0.0 <= interval.high;
  }
  EXPECT_GE(covered, 178);  // 95 % of 200 less four standard deviations
}

}  // namespace
}  // namespace rltune
