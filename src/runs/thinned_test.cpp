#include "rltune/runs/thinned.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace rltune::runs {
namespace {

Curve sine(std::size_t count) {
  Curve curve;
  for (std::size_t i = 0; i < count; ++i) {
    curve.steps.push_back(static_cast<double>(i) * 10.0);
    curve.values.push_back(std::sin(static_cast<double>(i) * 0.01));
  }
  return curve;
}

TEST(Thinned, a_short_curve_stays_what_it_is) {
  const Curve curve = sine(5);
  EXPECT_EQ(thinned(curve, 5).values, curve.values);
  EXPECT_EQ(thinned({}, 2).values, std::vector<double>{});
}

TEST(Thinned, points_are_left_out_and_none_is_made_up) {
  const Curve curve = sine(1000);
  for (const std::size_t points : {2UZ, 3UZ, 7UZ, 100UZ, 998UZ, 999UZ}) {
    const Curve fewer = thinned(curve, points);
    ASSERT_EQ(fewer.steps.size(), points);
    EXPECT_EQ(fewer.steps.front(), 0.0);
    EXPECT_EQ(fewer.steps.back(), 9990.0);
    for (std::size_t i = 0; i < points; ++i) {
      EXPECT_EQ(fewer.values[i], curve.values[static_cast<std::size_t>(fewer.steps[i] / 10.0)]);
    }
    EXPECT_EQ(std::ranges::adjacent_find(fewer.steps, std::ranges::greater_equal()), fewer.steps.end()) << points;
  }
}

TEST(Thinned, a_single_peak_is_not_lost) {
  Curve curve = sine(10'000);
  curve.values[6'543] = 50.0;
  EXPECT_EQ(std::ranges::max(thinned(curve, 50).values), 50.0);
}

}  // namespace
}  // namespace rltune::runs
