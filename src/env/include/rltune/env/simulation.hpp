// A batch of plants at work: the model, the weather or set-points of its episode, randomisation, sensors and
// actuators between, and a Snapshot of what a controller sees. Learning stands on it (control_environment.hpp),
// evaluation of any controller stands on it, so both meet exactly the same plant.
//
// Threads: one Simulation belongs to one thread.
// Memory:  make() allocates; reset(), restart_finished() and step() do not.
// Same seed, same draws: instance i draws from streams of its own, so a trajectory depends neither on the batch size
// nor, in its draws, on the inputs. Two controllers with one seed meet the same seasons, parameters and noise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "rltune/base/archive.hpp"
#include "rltune/base/error.hpp"
#include "rltune/base/random.hpp"
#include "rltune/env/forecast.hpp"
#include "rltune/env/plants.hpp"
#include "rltune/env/randomisation.hpp"

namespace rltune::env {

// Where an episode begins.
struct Start {
  std::shared_ptr<const ExogenousSeries> series;
  std::size_t row = 0;
};

// Every `every_steps`-th sample period from which a whole episode fits into the series.
std::vector<Start> starts_within(const std::shared_ptr<const ExogenousSeries>& series, const Task& task,
                                 std::size_t every_steps = 1);
// The row nearest to a time. Errors: invalid_argument, naming the usable range, where no whole episode fits.
Result<Start> start_at(const std::shared_ptr<const ExogenousSeries>& series, const Task& task, TimePoint time);

struct SimulationOptions {
  Task task;  // names the plant
  Overrides parameters;
  std::size_t instances = 1;
  std::vector<Start> starts;    // empty: the task's own schedule
  bool starts_in_turn = false;  // instance i begins with start i, then i + instances, ... Otherwise drawn
  ForecastModel forecast;
  Randomisation randomisation;
};

class Simulation {
 public:
  // Errors: those of make_plant and check_randomisation; invalid_argument where there is nothing to start from.
  static Result<std::unique_ptr<Simulation>> make(SimulationOptions options);

  const PlantSpec& plant() const noexcept { return model_->spec(); }
  const Task& task() const noexcept { return options_.task; }
  std::size_t size() const noexcept { return options_.instances; }
  PlantModel& model() noexcept { return *model_; }

  // Starts every instance anew.
  void reset(std::uint64_t seed) noexcept;
  // Starts the next episode of every instance that has finished.
  void restart_finished() noexcept;

  // Applies n x inputs wanted values, one row an instance, clipped to the plant's bounds and rate limits.
  // Instances that have finished stay as they are.
  void step(std::span<const double> wanted) noexcept;

  // The whole state, written or restored, as Environment::archive().
  void archive(Archive& archive);

  // What a controller sees: sensors with noise and dropouts, inputs as commanded, weather, forecast. Valid until the
  // next step(), restart_finished() or reset().
  Snapshot snapshot(std::size_t instance) const noexcept;

  // Of the step just made.
  double reward(std::size_t instance) const noexcept { return rewards_[instance]; }
  std::span<const double> reward_terms(std::size_t instance) const noexcept {
    return std::span(terms_).subspan(instance * term_count(), term_count());
  }
  // Noise-free measurements: limits are judged by them.
  std::span<const double> truth(std::size_t instance) const noexcept {
    return std::span(truth_).subspan(instance * measurement_count(), measurement_count());
  }
  // The inputs that reached the plant (after delays).
  std::span<const double> applied(std::size_t instance) const noexcept {
    return std::span(applied_rows_).subspan(instance * input_count(), input_count());
  }
  // The last step of the task was made, or the plant left the numbers (failed()).
  bool finished(std::size_t instance) const noexcept { return finished_[instance] != 0; }
  // The state is no longer finite, which only senseless parameters can do: each term costs its lower bound.
  bool failed(std::size_t instance) const noexcept { return failed_[instance] != 0; }
  std::size_t steps_made(std::size_t instance) const noexcept { return step_[instance]; }
  const Start& start(std::size_t instance) const noexcept { return options_.starts[start_[instance]]; }

 private:
  explicit Simulation(SimulationOptions options, std::unique_ptr<PlantModel> model);

  // One parameter, measurement or variable of the randomisation, by index.
  struct Factor {
    std::size_t parameter;
    Distribution distribution;
  };
  struct Shift {
    std::size_t variable;
    ExogenousShift shift;
  };

  std::size_t input_count() const noexcept { return model_->spec().inputs.size(); }
  std::size_t measurement_count() const noexcept { return model_->spec().measurements.size(); }
  std::size_t exogenous_count() const noexcept { return model_->spec().exogenous.size(); }
  std::size_t term_count() const noexcept { return model_->spec().reward_terms.size(); }
  std::size_t row_of(std::size_t instance) const noexcept;

  void resolve_randomisation();
  void prepare(std::size_t instance) noexcept;
  void draw_parameters(std::size_t instance) noexcept;
  void draw_parameter_noise() noexcept;
  void draw_shifts(std::size_t instance) noexcept;
  void command(std::size_t instance, std::span<const double> wanted) noexcept;
  void drift(std::size_t instance) noexcept;
  void take_exogenous(std::size_t instance) noexcept;
  double shifted(std::size_t instance, std::size_t variable, double value) const noexcept;
  void sense(std::size_t instance) noexcept;
  void conclude(std::size_t instance, bool failed) noexcept;

  SimulationOptions options_;
  std::unique_ptr<PlantModel> model_;
  Forecaster forecaster_;

  std::vector<Factor> factors_;
  std::vector<std::size_t> uncertain_;
  std::vector<SensorNoise> noise_;  // one a measurement, or none at all
  std::vector<Dropout> dropouts_;   // one a measurement, or none at all
  std::vector<Shift> shifts_;

  // One an instance.
  // Where a drifting variable is going.
  struct Ramp {
    double slope = 0.0;
    std::uint64_t left = 0;  // steps
  };
  std::vector<Ramp> ramps_;  // [instance][shift]; empty where nothing drifts
  std::vector<Random> episode_random_, parameter_random_, sensor_random_;
  std::vector<Random> drift_random_;  // empty where nothing drifts
  std::vector<std::size_t> start_, episode_, step_, delay_;
  std::vector<std::uint8_t> finished_, failed_;
  std::vector<double> rewards_;

  // [variable][instance], as the model wants them.
  std::vector<double> parameters_;  // of the episode, before the step's noise
  std::vector<double> inputs_, previous_inputs_, exogenous_, measured_, terms_by_term_;
  std::vector<double> frozen_states_;

  // One row an instance.
  std::vector<double> commands_, applied_rows_, truth_, sensed_, weather_, forecast_, terms_;
  std::vector<double> delayed_;          // [instance][slot][input]: commands on their way
  std::vector<double> factor_, offset_;  // [instance][exogenous]
  std::vector<std::size_t> silent_;      // [instance][measurement]: steps left without a value
};

}  // namespace rltune::env
