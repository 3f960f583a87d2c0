#include "rltune/base/clock_watch.hpp"

#include <gtest/gtest.h>

#include "manual_clock.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using Change = ClockWatch::Change;

class ClockWatchTest : public testing::Test {
 protected:
  ManualClock clock_{TimePoint(24h)};
  NtpState ntp_{.synchronised = true, .error_s_max = 0.01};
  ClockWatch watch_{clock_, [this] { return ntp_; }};
};

TEST_F(ClockWatchTest, a_clock_that_runs_or_is_slewed_is_well) {
  for (int i = 0; i < 1000; ++i) {
    clock_.advance(1s);
    clock_.jump(500us);
    ASSERT_EQ(watch_.look(), Change::none);
  }
  EXPECT_EQ(watch_.steps(), 0U);
}

TEST_F(ClockWatchTest, a_step_is_told_once_with_its_size) {
  clock_.advance(1s);
  clock_.jump(-1h);
  EXPECT_EQ(watch_.look(), Change::stepped);
  EXPECT_DOUBLE_EQ(watch_.last_step_s(), -3600.0);
  clock_.advance(1s);
  EXPECT_EQ(watch_.look(), Change::none);
  EXPECT_EQ(watch_.since_step(), 1s);
  clock_.jump(130ms);
  EXPECT_EQ(watch_.look(), Change::stepped);
  EXPECT_EQ(watch_.steps(), 2U);
  EXPECT_DOUBLE_EQ(watch_.steps_s_sum(), 3600.13);
}

TEST_F(ClockWatchTest, ntp_lost_and_found_is_told_once_each) {
  ntp_.synchronised = false;
  EXPECT_EQ(watch_.look(), Change::ntp_lost);
  EXPECT_EQ(watch_.look(), Change::none);
  EXPECT_FALSE(watch_.synchronised());
  ntp_.synchronised = true;
  EXPECT_EQ(watch_.look(), Change::ntp_back);
}

TEST_F(ClockWatchTest, a_step_that_comes_with_the_loss_hides_nothing) {
  ntp_.synchronised = false;
  clock_.jump(10s);
  EXPECT_EQ(watch_.look(), Change::stepped);
  EXPECT_EQ(watch_.look(), Change::ntp_lost);
}

TEST(KernelNtpState, is_what_this_machine_says) { EXPECT_GE(kernel_ntp_state().error_s_max, 0.0); }

TEST(ClockWatchOfThisMachine, sees_no_step_where_there_is_none) {
  const WallClock clock;
  ClockWatch watch(clock);
  for (int i = 0; i < 1000; ++i) ASSERT_NE(watch.look(), Change::stepped);
}

}  // namespace
}  // namespace rltune
