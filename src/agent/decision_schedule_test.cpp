#include "decision_schedule.hpp"

#include <gtest/gtest.h>

namespace rltune::agent {
namespace {

using namespace std::chrono_literals;

TEST(DecisionSchedule, samples_open_a_decision_once_a_period) {
  DecisionSchedule schedule(100ms);
  schedule.start(10s);
  EXPECT_TRUE(schedule.due_with_samples(10s));
  schedule.decided(10s);
  EXPECT_FALSE(schedule.due_with_samples(10s + 50ms));
  EXPECT_TRUE(schedule.due_with_samples(10s + 92ms));  // a sensor's clock is not ours
  EXPECT_TRUE(schedule.due_with_samples(10s + 100ms));
}

TEST(DecisionSchedule, without_samples_the_timer_decides_half_a_period_late) {
  DecisionSchedule schedule(100ms);
  schedule.start(10s);
  schedule.decided(10s);
  EXPECT_FALSE(schedule.overdue(10s + 149ms));
  EXPECT_EQ(schedule.until_overdue(10s + 100ms), 50ms);
  EXPECT_TRUE(schedule.overdue(10s + 150ms));
  EXPECT_EQ(schedule.until_overdue(11s), 0ms);
}

TEST(DecisionSchedule, samples_a_little_early_every_time_lose_no_cycle) {
  DecisionSchedule schedule(100ms);
  schedule.start(0s);
  int decisions = 0;
  for (Duration now{}; now < 10s; now += 97ms) {
    if (!schedule.due_with_samples(now)) continue;
    schedule.decided(now);
    ++decisions;
  }
  EXPECT_EQ(decisions, 104);
}

}  // namespace
}  // namespace rltune::agent
