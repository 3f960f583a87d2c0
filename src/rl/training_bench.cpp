// Transitions and gradient steps a second of a whole training loop: plant, learner and all between them.
#include <benchmark/benchmark.h>

#include "rltune/env/control_environment.hpp"
#include "rltune/env/weather.hpp"
#include "rltune/rl/training.hpp"

namespace rltune::rl {
namespace {

std::unique_ptr<env::Environment> make_environment(const char* plant, std::size_t instances) {
  env::SimulationOptions options{.task = *env::make_task(plant), .instances = instances};
  if (!options.task.schedule) {
    const auto series = *env::to_exogenous(env::synthesize_weather(), (*env::make_plant(plant, 1))->spec());
    options.starts = env::starts_within(series, options.task);
  }
  options.forecast.kind = env::ForecastModel::Kind::persistence;
  return *env::make_control_environment(std::move(options));
}

// With the plant's own defaults of the algorithm.
void train(benchmark::State& state, const char* plant, const char* algorithm, std::size_t threads) {
  const auto hyperparameters = default_hyperparameters(algorithm, plant);
  if (!hyperparameters) return state.SkipWithError(hyperparameters.error().message.c_str());
  const std::size_t instances = *hyperparameters->whole("n_envs");
  const std::size_t halves = std::min<std::size_t>(2, instances);
  auto workers = std::make_shared<Workers>(threads);
  std::vector<std::unique_ptr<env::Environment>> environments;
  for (std::size_t i = 0; i < halves; ++i) environments.push_back(make_environment(plant, instances / halves));
  const env::EnvironmentSpec& spec = environments.front()->spec();
  auto learner = make_learner(algorithm,
                              {.observation = spec.observation,
                               .actions = spec.action.size(),
                               .instances = instances / halves * halves,
                               .workers = workers},
                              *hyperparameters);
  if (!learner) return state.SkipWithError(learner.error().message.c_str());
  Training training(std::move(environments), std::move(*learner), workers, 1);
  while (training.updates() == 0) training.advance();  // the warm-up fills the buffers
  const std::uint64_t steps = training.steps(), updates = training.updates();
  for (auto _ : state) training.advance();
  const auto rate = [](std::uint64_t count) {
    return benchmark::Counter(static_cast<double>(count), benchmark::Counter::kIsRate);
  };
  state.counters["steps/s"] = rate(training.steps() - steps);
  state.counters["updates/s"] = rate(training.updates() - updates);
}
BENCHMARK_CAPTURE(train, ppo_lettuce_1_thread, "lettuce", "ppo", 1)->UseRealTime()->MinTime(3.0);
BENCHMARK_CAPTURE(train, ppo_lettuce_2_threads, "lettuce", "ppo", 2)->UseRealTime()->MinTime(3.0);
BENCHMARK_CAPTURE(train, sac_lettuce_1_thread, "lettuce", "sac", 1)->UseRealTime()->MinTime(3.0);
BENCHMARK_CAPTURE(train, sac_lettuce_2_threads, "lettuce", "sac", 2)->UseRealTime()->MinTime(3.0);

}  // namespace
}  // namespace rltune::rl
