#include "rltune/io/latency.hpp"

#include <gtest/gtest.h>

namespace rltune::io {
namespace {

TEST(LatencyHistogram, quantiles_are_within_a_bucket) {
  LatencyHistogram histogram;
  for (int us = 1; us <= 1000; ++us) histogram.add(std::chrono::microseconds(us));
  EXPECT_NEAR(histogram.quantile_us(0.5), 500.0, 50.0);
  EXPECT_NEAR(histogram.quantile_us(0.99), 990.0, 99.0);
}

TEST(LatencyHistogram, extremes_are_kept) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.quantile_us(0.99), 0.0);
  histogram.add(Duration(0));
  histogram.add(std::chrono::hours(24));
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_LT(histogram.quantile_us(0.5), 1.2);
  EXPECT_GT(histogram.quantile_us(1.0), 1e9);
}

}  // namespace
}  // namespace rltune::io
