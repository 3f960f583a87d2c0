#include "rltune/base/breaker.hpp"

#include <gtest/gtest.h>

namespace rltune {
namespace {

using namespace std::chrono_literals;
using State = Breaker::State;

constexpr Breaker::Policy kPolicy{.failures_max = 3, .wait_first = 100ms, .wait_max = 400ms, .jitter = 0.5, .seed = 7};

TEST(Breaker, opens_after_its_failures_in_a_row) {
  Breaker breaker(kPolicy);
  breaker.failed(0s);
  breaker.failed(0s);
  EXPECT_EQ(breaker.state(), State::closed);
  breaker.succeeded();
  breaker.failed(0s);
  breaker.failed(0s);
  EXPECT_TRUE(breaker.allows(0s));
  breaker.failed(0s);
  EXPECT_EQ(breaker.state(), State::open);
  EXPECT_FALSE(breaker.allows(0s));
  EXPECT_EQ(breaker.openings(), 1U);
  EXPECT_EQ(breaker.failures(), 5U);
}

TEST(Breaker, lets_one_through_after_a_while_and_waits_longer_when_that_fails) {
  Breaker breaker(kPolicy);
  Duration now = 0s;
  for (int i = 0; i < 3; ++i) breaker.failed(now);
  Duration most = 100ms;
  for (int round = 0; round < 5; ++round) {
    const Duration wait = breaker.try_at() - now;
    EXPECT_GE(wait, most / 2) << round;
    EXPECT_LE(wait, most) << round;
    EXPECT_FALSE(breaker.allows(breaker.try_at() - 1ns));
    now = breaker.try_at();
    ASSERT_TRUE(breaker.allows(now));
    EXPECT_EQ(breaker.state(), State::half_open);
    breaker.failed(now);
    EXPECT_FALSE(breaker.allows(now));
    most = std::min<Duration>(2 * most, 400ms);
  }
  EXPECT_EQ(breaker.openings(), 1U);
}

TEST(Breaker, one_success_closes_it_and_begins_anew) {
  Breaker breaker(kPolicy);
  for (int i = 0; i < 3; ++i) breaker.failed(0s);
  ASSERT_TRUE(breaker.allows(1s));
  breaker.succeeded();
  EXPECT_EQ(breaker.state(), State::closed);
  breaker.failed(1s);
  EXPECT_TRUE(breaker.allows(1s));
  for (int i = 0; i < 2; ++i) breaker.failed(1s);
  EXPECT_LE(breaker.try_at(), 1s + 100ms);
}

TEST(Breaker, a_failure_may_be_one_after_which_nobody_waits_long) {
  Breaker breaker(kPolicy);
  for (int i = 0; i < 10; ++i) breaker.failed(0s, 150ms);
  EXPECT_LE(breaker.try_at(), 150ms);
  EXPECT_GE(breaker.try_at(), 75ms);
  breaker.failed(0s);
  EXPECT_GE(breaker.try_at(), 200ms) << "the waits went on growing";
}

TEST(Breaker, two_of_them_do_not_come_back_in_step) {
  Breaker::Policy other = kPolicy;
  other.seed = 8;
  Breaker first(kPolicy), second(other);
  for (int i = 0; i < 3; ++i) {
    first.failed(0s);
    second.failed(0s);
  }
  EXPECT_NE(first.try_at(), second.try_at());
}

}  // namespace
}  // namespace rltune
