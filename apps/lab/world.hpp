// The options that say which plant a command meets, in which weather and with what uncertainty: shared by the
// commands that evaluate, tune and train.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "rltune/env/simulation.hpp"
#include "rltune/env/weather.hpp"
#include "rltune/evaluation/evaluate.hpp"

namespace rltune::lab {

struct WorldOptions {
  std::string plant;
  std::string weather = "synthetic";
  std::string time_zone = "UTC";
  std::uint64_t weather_seed = 1;  // of synthetic weather
  int weather_years = 24;
  std::string start;  // of a season; synthetic weather comes in its year
  int days = 0;       // 0: the task's own
  std::vector<std::string> settings;
  double parameter_noise = 0.0;
  std::string per = "step";
  double observation_noise = 0.0;
  std::string forecast = "perfect";
  double forecast_hours = 12.0;
  std::string randomisation;  // file
};

// --plant --weather --time-zone --weather-seed --days --set --parameter-noise --per --observation-noise --forecast
// --forecast-hours --randomisation. Returns them.
std::vector<CLI::Option*> add_world_options(CLI::App& command, WorldOptions& options);
// --environment, which stands instead of --plant: neither is required then, and the others do not apply to it.
void add_environment_option(CLI::App& command, std::string& environment, const std::vector<CLI::Option*>& world);

// The options as they are meant. Each stops the command with a message where they are wrong.
struct World {
  env::PlantSpec plant;
  env::Task task;  // with --days
  env::Overrides overrides;
  env::ForecastModel forecast;
  env::Randomisation randomisation;
  evaluation::SeriesList series;  // empty where the task has its own schedule
  std::string weather;            // what to call it in a report

  evaluation::EvaluationOptions evaluation() const;
  // Every day of the weather as a start.
  env::SimulationOptions simulation() const;
};
World make_world(const WorldOptions& options);
// Its task with so many periods of forecast in the observation. Negative: 12 where the plant has weather, 2 where it
// has scheduled set-points, which is what policies are trained with by default.
env::Task task_with_leads(const World& world, int leads);

}  // namespace rltune::lab
