#include "rltune/base/random.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace rltune {
namespace {

TEST(Random, same_seed_same_numbers) {
  Random a(7), b(7);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(a.bits(), b.bits());
}

TEST(Random, streams_differ) {
  Random a(7, 0), b(7, 1);
  int equal = 0;
  for (int i = 0; i < 1000; ++i) equal += a.bits() == b.bits();
  EXPECT_EQ(equal, 0);
}

TEST(Random, normal_has_its_moments) {
  Random random(1);
  double sum = 0.0, squares = 0.0;
  constexpr int kDraws = 200'000;
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.normal();
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / kDraws, 0.0, 4.0 / std::sqrt(kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0, 6.0 * std::sqrt(2.0 / kDraws));
}

TEST(Random, below_reaches_every_value_and_no_more) {
  Random random(1);
  std::array<int, 7> seen{};
  for (int i = 0; i < 70'000; ++i) ++seen.at(random.below(7));
  for (const int count : seen) EXPECT_NEAR(count, 10'000, 500);
}

TEST(Random, restored_state_continues_exactly) {
  Random random(3);
  random.normal();
  const auto state = random.state();
  const double next = random.normal(), after = random.normal();
  random.set_state(state);
  EXPECT_EQ(random.normal(), next);
  EXPECT_EQ(random.normal(), after);
}

}  // namespace
}  // namespace rltune
