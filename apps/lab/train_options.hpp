// What rltune policy train was asked for, and the world it makes of it.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "rltune/dataset/dataset.hpp"
#include "rltune/env/history.hpp"
#include "rltune/rl/learner.hpp"
#include "world.hpp"

namespace rltune::lab {

struct TrainOptions {
  WorldOptions world;       // its plant, or
  std::string environment;  // one of env::environment_names()
  std::string algorithm = "ppo";
  std::string start;  // one season instead of every day of the weather
  std::string out;
  std::string dataset;   // what an offline algorithm learns from
  std::string baseline;  // a tuned controller's file, instead of tuning one
  std::vector<std::string> hyperparameters;
  std::vector<std::string> margins;  // parameters as learning sees them
  std::uint64_t steps = 0;           // 0: the hyperparameter n_timesteps
  std::uint64_t seed = 1;
  int forecast_leads = -1;  // -1: 12 where the plant has weather, 2 where it has scheduled set-points
  std::optional<std::size_t> history_frames;
  std::vector<double> history_traces;
  std::size_t threads = 2;
  double checkpoint_seconds = 30.0;
  std::optional<double> stop_at_return;  // of an examination
  std::size_t patience = 0;              // examinations without a better one before training stops; 0: go on
  std::size_t setbacks_max = 5;
  bool no_margins = false, resume = false, no_validation = false, json = false;
};
void add_train_options(CLI::App& command, TrainOptions& options);

// What is learned: the environment's name, or the plant's.
const std::string& task_name(const TrainOptions& options);
// --hyper NAME=VALUE, repeated.
void add_hyper_option(CLI::App& command, std::vector<std::string>& settings);
// Those of the algorithm for the task ("" for none), with what --hyper and --steps say.
rl::Hyperparameters hyperparameters_of(const TrainOptions& options, const std::string& task);

// Everything that decides what is learned, and nothing else.
struct TrainPlan {
  std::string environment;                      // empty where it is a plant, whose members come next
  World world;                                  // its task shows the forecast
  env::SimulationOptions training;              // of one environment; instances are set later
  std::vector<evaluation::Season> examination;  // on the way: which weights are best
  std::vector<evaluation::Season> validation;   // at the end: never met before
  evaluation::SeriesList validation_series;
  std::string validation_weather;
  std::uint64_t examination_seed = 0;
  env::HistoryOptions history;
  std::optional<dataset::Dataset> dataset;  // there: a step is a gradient step over it
  rl::Hyperparameters hyperparameters;
  std::uint64_t steps = 0;
  std::size_t instances = 0;
  nlohmann::ordered_json description;  // the plan in words: equal plans have equal ones
};
// Stops the command with a message where an option is wrong.
TrainPlan make_plan(const TrainOptions& options);

}  // namespace rltune::lab
