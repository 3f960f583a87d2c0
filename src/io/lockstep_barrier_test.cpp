#include "rltune/io/lockstep_barrier.hpp"

#include <gtest/gtest.h>

namespace rltune::io {
namespace {

constexpr std::uint32_t kTemperature = 0, kForecast = 1, kHeating = 2, kStep = 3;

config::Site lockstep_site() {
  config::Site site;
  site.clock = config::ClockKind::plant;
  site.plant_clock = {.step = "clock_step", .advance = "clock_advance"};
  site.tags = {{.name = "temperature"},
               {.name = "radiation_forecast", .role = config::TagRole::forecast, .elements = 2},
               {.name = "heating", .role = config::TagRole::setpoint},
               {.name = "clock_step", .role = config::TagRole::clock},
               {.name = "clock_advance", .role = config::TagRole::clock}};
  return site;
}

Sample sample(std::uint32_t tag, int at, double value = 0.0, std::uint32_t element = 0) {
  return {.tag = tag,
          .element = element,
          .value = value,
          .source_time = TimePoint(std::chrono::seconds(at)),
          .quality = Quality::good};
}

TEST(LockstepBarrier, completes_with_the_last_tag_of_a_step) {
  LockstepBarrier barrier(lockstep_site());
  barrier.add(sample(kHeating, 3));
  EXPECT_FALSE(barrier.add(sample(kTemperature, 10)));
  EXPECT_FALSE(barrier.add(sample(kForecast, 10, 0.0, 0)));
  EXPECT_FALSE(barrier.add(sample(kStep, 10, 5.0)));
  EXPECT_TRUE(barrier.add(sample(kForecast, 10, 0.0, 1)));
  EXPECT_EQ(barrier.step(), 5);
  EXPECT_EQ(barrier.time(), TimePoint(std::chrono::seconds(10)));
}

TEST(LockstepBarrier, the_first_step_waits_for_the_set_points_in_force) {
  LockstepBarrier barrier(lockstep_site());
  barrier.add(sample(kTemperature, 10));
  barrier.add(sample(kForecast, 10, 0.0, 0));
  barrier.add(sample(kForecast, 10, 0.0, 1));
  EXPECT_FALSE(barrier.add(sample(kStep, 10, 5.0)));
  EXPECT_TRUE(barrier.add(sample(kHeating, 3, 50.0)));
  EXPECT_EQ(barrier.step(), 5);
}

TEST(LockstepBarrier, completes_once_a_step_and_does_not_wait_for_set_points_again) {
  LockstepBarrier barrier(lockstep_site());
  barrier.add(sample(kHeating, 3));
  barrier.add(sample(kTemperature, 10));
  barrier.add(sample(kForecast, 10, 0.0, 0));
  barrier.add(sample(kForecast, 10, 0.0, 1));
  EXPECT_TRUE(barrier.add(sample(kStep, 10, 0.0)));
  EXPECT_FALSE(barrier.add(sample(kStep, 10, 0.0)));
  EXPECT_FALSE(barrier.add(sample(kHeating, 11)));
  EXPECT_FALSE(barrier.add(sample(kStep, 11, 1.0)));
  EXPECT_EQ(barrier.step(), 0);
}

TEST(LockstepBarrier, an_old_sample_does_not_complete_a_new_step) {
  LockstepBarrier barrier(lockstep_site());
  barrier.add(sample(kHeating, 3));
  barrier.add(sample(kStep, 20, 1.0));
  barrier.add(sample(kForecast, 20, 0.0, 0));
  barrier.add(sample(kForecast, 20, 0.0, 1));
  EXPECT_FALSE(barrier.add(sample(kTemperature, 10)));
  EXPECT_TRUE(barrier.add(sample(kTemperature, 20)));
}

TEST(LockstepBarrier, a_wall_clock_site_never_completes) {
  config::Site site = lockstep_site();
  site.clock = config::ClockKind::wall;
  LockstepBarrier barrier(site);
  EXPECT_FALSE(barrier.add(sample(kStep, 10, 1.0)));
}

}  // namespace
}  // namespace rltune::io
