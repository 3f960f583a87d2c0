#include "rltune/env/simulation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "rltune/env/weather.hpp"

namespace rltune::env {
namespace {

const std::string kBleiswijk = RLTUNE_SOURCE_DIR "/../shared/data/weather-bleiswijk-2014.csv.gz";

// The published season's return for wanted inputs that never change.
double season_return(std::vector<double> wanted) {
  const auto weather = load_weather_csv(kBleiswijk, {.time_zone = "+01:00"});
  EXPECT_TRUE(weather.has_value());
  const Task task = *make_task("lettuce");
  const auto series = to_exogenous(*weather, (*make_plant("lettuce", 1))->spec());
  const auto start = start_at(*series, task, *parse_local_time("2014-02-09", "+01:00"));
  EXPECT_EQ(start->row, 8640U);
  auto simulation = Simulation::make({.task = task, .starts = {*start}});
  double total = 0.0;
  while (!(*simulation)->finished(0)) {
    (*simulation)->step(wanted);
    total += (*simulation)->reward(0);
  }
  EXPECT_EQ((*simulation)->steps_made(0), 1920U);
  return total;
}

TEST(lettuce_season, returns_what_is_published_for_all_off_and_hold) {
  if (!std::filesystem::exists(kBleiswijk)) GTEST_SKIP() << "needs " << kBleiswijk;
  EXPECT_NEAR(season_return({0, 0, 0}), -64.53472461089223, 1e-9);
  EXPECT_NEAR(season_return({0, 0, 50}), -73.57157594819853, 1e-9);
}

}  // namespace
}  // namespace rltune::env
