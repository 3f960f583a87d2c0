// Seasons for tests: weather that differs in every row, so that a row mixed up shows.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>

#include "rltune/env/simulation.hpp"

namespace rltune::twin::testing {

inline std::shared_ptr<const env::ExogenousSeries> weather(std::size_t rows) {
  auto series = std::make_shared<env::ExogenousSeries>();
  series->name = "test weather";
  series->variables = 4;
  series->row_period_s = 1800.0;
  for (std::size_t row = 0; row < rows; ++row) {
    const double day = 2.0 * std::numbers::pi * static_cast<double>(row) / 48.0;
    series->values.insert(series->values.end(),
                          {std::max(0.0, -400.0 * std::cos(day)), 410.0 + 5.0 * std::sin(day / 3.0),
                           6.0 - 4.0 * std::cos(day), 80.0 + 8.0 * std::sin(day / 2.0)});
  }
  return series;
}

inline env::SimulationOptions lettuce_season(std::size_t steps = 300, std::size_t forecast_leads = 12) {
  env::SimulationOptions options{.task = *env::make_task("lettuce", {.forecast_leads = forecast_leads}),
                                 .starts = {{weather(steps + 100), 0}}};
  options.task.steps = steps;
  return options;
}

inline std::unique_ptr<env::Simulation> make_simulation(env::SimulationOptions options, std::uint64_t seed = 1) {
  auto simulation = std::move(*env::Simulation::make(std::move(options)));
  simulation->reset(seed);
  return simulation;
}

}  // namespace rltune::twin::testing
