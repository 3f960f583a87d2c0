#include "step_clock.hpp"

#include <gtest/gtest.h>

#include "watchdog.hpp"

namespace rltune::twin {
namespace {

using std::chrono::seconds;

const TimePoint kStart{std::chrono::sys_days{std::chrono::year{2014} / 2 / 9}};

StepClock wall(double speed, Duration now) {
  return StepClock({ClockMode::wall, kStart, seconds(1800), speed}, 0, now);
}
StepClock lockstep(std::uint32_t step = 0) {
  return StepClock({ClockMode::plant, kStart, seconds(1800), 1.0}, step, Duration::zero());
}

TEST(StepClock, wall_clock_steps_when_a_period_at_speed_is_over) {
  StepClock clock = wall(1800.0, seconds(100));
  EXPECT_FALSE(clock.due(seconds(100)));
  EXPECT_EQ(clock.until_due(seconds(100)), seconds(1));
  EXPECT_TRUE(clock.due(seconds(101)));
  clock.advance();
  EXPECT_FALSE(clock.due(seconds(101)));
  EXPECT_EQ(clock.time(), kStart + seconds(1800));
}

TEST(StepClock, wall_clock_catches_up_after_a_pause_and_does_not_drift) {
  StepClock clock = wall(1800.0, Duration::zero());
  int steps = 0;
  while (clock.due(seconds(10))) clock.advance(), ++steps;
  EXPECT_EQ(steps, 10);
  EXPECT_EQ(clock.until_due(seconds(10)), seconds(1));
}

TEST(StepClock, wall_clock_tells_plant_time_between_steps) {
  const StepClock clock = wall(10.0, Duration::zero());
  EXPECT_EQ(clock.time_now(seconds(6)), kStart + seconds(60));
}

TEST(StepClock, lockstep_takes_the_next_step_alone) {
  StepClock clock = lockstep(7);
  EXPECT_FALSE(clock.due(seconds(1'000'000)));
  EXPECT_FALSE(clock.request(9));
  EXPECT_FALSE(clock.request(6));
  EXPECT_FALSE(clock.due(Duration::zero()));
  EXPECT_TRUE(clock.request(8));
  EXPECT_TRUE(clock.due(Duration::zero()));
  clock.advance();
  EXPECT_EQ(clock.step(), 8U);
  EXPECT_FALSE(clock.due(Duration::zero()));
}

TEST(StepClock, lockstep_takes_a_repeated_request_for_the_present_step_as_done) {
  StepClock clock = lockstep(8);
  EXPECT_TRUE(clock.request(8));
  EXPECT_FALSE(clock.due(Duration::zero()));
}

TEST(StepClock, lockstep_time_moves_with_steps_only) {
  StepClock clock = lockstep();
  EXPECT_EQ(clock.time_now(seconds(3600)), kStart);
  clock.request(1);
  clock.advance();
  EXPECT_EQ(clock.time_now(seconds(3600)), kStart + seconds(1800));
}

TEST(Watchdog, expires_when_no_beat_comes) {
  const Watchdog watchdog(seconds(5), seconds(10));
  EXPECT_FALSE(watchdog.expired(seconds(14)));
  EXPECT_TRUE(watchdog.expired(seconds(15)));
  EXPECT_EQ(watchdog.deadline(), seconds(15));
}

TEST(Watchdog, a_repeated_value_is_no_beat) {
  Watchdog watchdog(seconds(5), Duration::zero());
  watchdog.beat(1, seconds(4));
  watchdog.beat(1, seconds(8));
  EXPECT_FALSE(watchdog.expired(seconds(8)));
  EXPECT_TRUE(watchdog.expired(seconds(9)));
}

TEST(Watchdog, comes_back_with_a_new_beat) {
  Watchdog watchdog(seconds(5), Duration::zero());
  ASSERT_TRUE(watchdog.expired(seconds(6)));
  watchdog.beat(0, seconds(7));
  EXPECT_FALSE(watchdog.expired(seconds(8)));
}

TEST(Watchdog, a_limit_of_zero_never_expires) {
  const Watchdog watchdog(Duration::zero(), Duration::zero());
  EXPECT_FALSE(watchdog.expired(seconds(1'000'000)));
}

}  // namespace
}  // namespace rltune::twin
