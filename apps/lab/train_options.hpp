// What rltune policy train was asked for, and the world it makes of it.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rltune/rl/learner.hpp"
#include "world.hpp"

namespace rltune::lab {

struct TrainOptions {
  WorldOptions world;
  std::string algorithm = "ppo";
  std::string start;  // one season instead of every day of the weather
  std::string out;
  std::string baseline;  // a tuned controller's file, instead of tuning one
  std::vector<std::string> hyperparameters;
  std::vector<std::string> margins;  // parameters as learning sees them
  std::uint64_t steps = 0;           // 0: the hyperparameter n_timesteps
  std::uint64_t seed = 1;
  int forecast_leads = -1;  // -1: 12 where the plant has weather
  std::size_t threads = 2;
  double checkpoint_seconds = 30.0;
  bool no_margins = false, resume = false, no_validation = false, json = false;
};
void add_train_options(CLI::App& command, TrainOptions& options);

// Everything that decides what is learned, and nothing else.
struct TrainPlan {
  World world;                                  // its task shows the forecast
  env::SimulationOptions training;              // of one environment; instances are set later
  std::vector<evaluation::Season> examination;  // on the way: which weights are best
  std::vector<evaluation::Season> validation;   // at the end: never met before
  evaluation::SeriesList validation_series;
  std::string validation_weather;
  rl::Hyperparameters hyperparameters;
  std::uint64_t steps = 0;
  std::size_t instances = 0;
  nlohmann::ordered_json description;  // the plan in words: equal plans have equal ones
};
// Stops the command with a message where an option is wrong.
TrainPlan make_plan(const TrainOptions& options);

}  // namespace rltune::lab
