// Evaluation rolls a Controller over seasons of a plant and says what came of it: the return and its parts, the
// final state, every limit's violations, how the inputs were used.
//
// Threads: evaluate() spreads seasons over threads of its own; the result does not depend on how many.
// Two controllers that are evaluated on the same seasons meet the same weather, parameters and noise, draw for draw.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/controllers/controller.hpp"
#include "rltune/env/simulation.hpp"
#include "rltune/evaluation/seasons.hpp"

namespace rltune::evaluation {

// Makes one controller a worker; called from several threads at once.
using ControllerFactory = std::function<Result<std::unique_ptr<controllers::Controller>>()>;

struct EvaluationOptions {
  env::Task task;  // names the plant; steps are those of one season
  env::Overrides parameters;
  env::ForecastModel forecast;
  env::Randomisation randomisation;
  unsigned workers = 0;  // 0: one a processor
  bool trace = false;    // keep every step
};

// How one limit of the plant was kept, judged by noise-free measurements after each step.
struct Violation {
  std::string name, unit;
  double low = 0.0, high = 0.0;
  std::size_t steps = 0;    // out of the band
  double unit_hours = 0.0;  // distance from the band, integrated: degree-hours, ppm-hours
  double worst = 0.0;       // largest distance
};

struct InputUse {
  std::string name, unit;
  double mean = 0.0, minimum = 0.0, maximum = 0.0;
  double travel = 0.0;                        // sum of absolute moves
  std::size_t steps_low = 0, steps_high = 0;  // at a bound
};

// One row a step, in the plant's order of variables. Row k holds what was seen before step k, the inputs applied in
// it and what it earned; `measurements` has one row more, the last.
struct Trace {
  std::vector<double> measurements, inputs, exogenous, terms;
};

struct Episode {
  std::string label;  // of the season
  std::uint64_t seed = 0;
  std::size_t steps = 0;
  double total = 0.0;         // the return
  std::vector<double> terms;  // its parts, in the plant's order
  std::vector<double> final_states, final_measurements;
  std::vector<Violation> violations;
  std::vector<InputUse> inputs;
  std::size_t holds = 0, faults = 0;  // decisions in which the controller gave no inputs
  bool failed = false;                // the state left the numbers
  double decision_us_p50 = 0.0, decision_us_p99 = 0.0;
  Trace trace;  // empty unless asked for
};

// One episode of a simulation of one instance, from this seed. REQUIRES: the simulation shows as many forecast leads
// as the controller wants.
Episode roll(controllers::Controller& controller, env::Simulation& simulation, std::uint64_t seed, bool trace = false);

// One episode a season, in their order. Errors: those of the factory and of Simulation::make.
Result<std::vector<Episode>> evaluate(const ControllerFactory& factory, const std::vector<Season>& seasons,
                                      const EvaluationOptions& options);

// The inputs that a controller applied in a season, [step][input]: for make_tape().
Result<std::vector<double>> record_inputs(const ControllerFactory& factory, const Season& season,
                                          EvaluationOptions options);

}  // namespace rltune::evaluation
