// One instance of a plant with what happens to it: its weather, its noise, its season. Everything that a step
// draws at random comes from (seed, step), so a twin that restarts at a step goes on as if it had not stopped.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/env/exogenous.hpp"
#include "rltune/env/plants.hpp"

namespace rltune::twin {

struct PlantSetup {
  std::string plant;
  env::Overrides overrides;
  std::shared_ptr<const env::ExogenousSeries> series;
  std::size_t first_row = 0;       // of the series, at step 0
  std::size_t steps = 0;           // of the season
  std::size_t forecast_leads = 0;  // sample periods ahead
  std::uint64_t seed = 1;
  double observation_noise = 0.0;  // relative standard deviation of every sensor
  double parameter_noise = 0.0;    // every physical parameter times 1 + U(-d/2, d/2), once a season
};

// What has to be kept to go on after a restart.
struct PlantState {
  std::uint32_t step = 0;
  std::vector<double> states;
  std::vector<double> inputs;
  std::vector<double> reward_terms;
  double season_return = 0.0;
};

class SimulatedPlant {
 public:
  // Errors: not_found, invalid_argument.
  static Result<SimulatedPlant> create(const PlantSetup& setup);

  const env::PlantSpec& spec() const noexcept { return model_->spec(); }
  const env::ExogenousSeries& series() const noexcept { return *setup_.series; }
  std::size_t steps() const noexcept { return setup_.steps; }
  std::size_t forecast_leads() const noexcept { return setup_.forecast_leads; }

  std::uint32_t step_count() const noexcept { return step_; }
  std::span<const double> inputs() const noexcept { return inputs_; }           // of the step just made
  std::span<const double> true_measurements() const noexcept { return true_; }  // without noise
  std::span<const double> measurements() const noexcept { return measured_; }   // what the sensors show
  std::span<const double> exogenous() const noexcept { return series().row(row(step_)); }
  // [lead 1..L][exogenous]
  std::span<const double> forecast() const noexcept { return forecast_; }
  std::span<const double> reward_terms() const noexcept { return reward_terms_; }
  double season_return() const noexcept { return season_return_; }
  double progress() const noexcept;

  void step(std::span<const double> inputs);

  PlantState save() const;
  // Errors: mismatch.
  Result<> restore(const PlantState& state);

 private:
  SimulatedPlant(PlantSetup setup, std::unique_ptr<env::PlantModel> model, std::span<const double> input_start);
  std::size_t row(std::size_t step) const noexcept { return setup_.first_row + step * setup_.series->stride; }
  void perturb_parameters();
  void observe();

  PlantSetup setup_;
  std::unique_ptr<env::PlantModel> model_;
  std::uint32_t step_ = 0;
  std::vector<double> inputs_;
  std::vector<double> previous_inputs_;
  std::vector<double> true_;
  std::vector<double> measured_;
  std::vector<double> forecast_;
  std::vector<double> reward_terms_;
  double season_return_ = 0.0;
};

}  // namespace rltune::twin
