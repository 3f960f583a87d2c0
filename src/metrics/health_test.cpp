#include "rltune/metrics/health.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "manual_clock.hpp"

namespace rltune::metrics {
namespace {

using namespace std::chrono_literals;

class HealthTest : public testing::Test {
 protected:
  nlohmann::json json() const { return nlohmann::json::parse(health_.answer().json); }
  ManualClock clock_{TimePoint(24h)};
  Health health_{"io", clock_, 5s};
};

TEST_F(HealthTest, is_well_when_every_check_is) {
  health_.report({{"plant", true, ""}, {"clock", true, "does not follow NTP"}});
  EXPECT_TRUE(health_.answer().healthy);
  EXPECT_EQ(json()["status"], "ok");
  EXPECT_EQ(json()["role"], "io");
  EXPECT_EQ(json()["checks"]["clock"]["detail"], "does not follow NTP");
  EXPECT_FALSE(json()["checks"]["plant"].contains("detail"));
}

TEST_F(HealthTest, one_failing_dependency_fails_the_whole) {
  health_.report({{"plant", false, "nobody answers"}, {"store", true, ""}});
  EXPECT_FALSE(health_.answer().healthy);
  EXPECT_EQ(json()["status"], "failing");
  EXPECT_EQ(json()["checks"]["plant"]["detail"], "nobody answers");
  EXPECT_EQ(json()["checks"]["store"]["ok"], true);
}

TEST_F(HealthTest, a_silent_loop_is_not_well_whatever_it_said_last) {
  health_.report({{"plant", true, ""}});
  clock_.advance(5s);
  EXPECT_TRUE(health_.answer().healthy);
  clock_.advance(1s);
  EXPECT_FALSE(health_.answer().healthy);
  EXPECT_EQ(json()["checks"]["loop"]["detail"], "silent for 6.0 s");
  health_.report({{"plant", true, ""}});
  EXPECT_TRUE(health_.answer().healthy);
}

TEST_F(HealthTest, a_step_of_the_wall_clock_is_no_silence) {
  health_.report({});
  clock_.jump(24h);
  EXPECT_TRUE(health_.answer().healthy);
}

}  // namespace
}  // namespace rltune::metrics
