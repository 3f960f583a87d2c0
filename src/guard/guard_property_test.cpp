// 24 simulated hours of a random policy: not one breach of any rule, by a checker that shares no code with the guard.
#include <gtest/gtest.h>

#include "random_turn.hpp"

namespace rltune::guard {
namespace {

using namespace std::chrono_literals;

class GuardProperty : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(GuardProperty, a_random_policy_breaches_nothing_in_a_day) {
  Random random(GetParam());
  GuardChecker checker;
  for (Duration day{}; day < 24h;) {
    const GuardChecker::Turn turn = random_turn(random);
    day += turn.wait;
    const auto breach = checker.turn(turn);
    ASSERT_FALSE(breach) << *breach << ", seed " << GetParam() << ", after " << to_seconds(day) << " s";
  }
  // It did drive the plant meanwhile.
  EXPECT_GT(checker.writes(), 2000U);
  EXPECT_GT(checker.changes(), 500U);
  EXPECT_GT(checker.rationed(), 200U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, GuardProperty, ::testing::Range<std::uint64_t>(1, 21));

}  // namespace
}  // namespace rltune::guard
