// Tuning gives a classical controller the same chance that a policy gets: the same plant, randomisation and
// training weather, the same reward, and a budget counted in the same environment steps.
//
// CMA-ES searches the parameters' ranges; a generation's candidates all meet the same seasons, drawn anew for the
// next one. The last eighth of the budget picks, on seasons not used before, among the start, the search's end and the
// best candidates on the way: tuning never ends worse than it began for want of looking.
//
// Threads: candidates are spread over threads; the result does not depend on how many.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/controllers/registry.hpp"
#include "rltune/env/simulation.hpp"

namespace rltune::evaluation {

struct TuneProgress {
  std::uint64_t steps = 0, steps_budget = 0;
  double generation_mean = 0.0;  // return of the generation's candidates
  double generation_best = 0.0;
};

struct TuneOptions {
  std::string controller;                  // "rule", "pid"
  controllers::ParameterValues start;      // over the defaults
  env::SimulationOptions world;            // starts: every day of the training weather; instances are ignored
  std::uint64_t steps_budget = 1'000'000;  // environment steps in all
  bool stretch_budget = false;             // to two generations, where it is smaller than that
  std::size_t seasons_per_candidate = 1;
  std::uint64_t seed = 1;
  unsigned workers = 0;                               // 0: one a processor
  std::function<void(const TuneProgress&)> progress;  // after every generation, from the caller's thread
  // Asked before every season, from any of the workers; a generation cut short does not count, the best of those before
  // is returned.
  std::function<bool()> cancelled;
};

struct Tuned {
  controllers::ParameterValues parameters;            // every one of the controller's
  double mean_return = 0.0, mean_return_start = 0.0;  // on the seasons that decided
  std::size_t seasons = 0;                            // those
  std::uint64_t steps = 0;                            // used
  std::vector<TuneProgress> history;
};

// Errors: those of make_controller and Simulation::make; invalid_argument for a controller without parameters, or a
// budget that is too small for two generations.
Result<Tuned> tune(const TuneOptions& options);

}  // namespace rltune::evaluation
