#include "simulated_plant.hpp"

#include <algorithm>
#include <numeric>

#include "rltune/base/check.hpp"
#include "rltune/base/random.hpp"

namespace rltune::twin {
namespace {

// Streams of random numbers below the seed: one for the season, one for every step.
constexpr std::uint64_t kSeasonStream = 0;
constexpr std::uint64_t kStepStreams = 1;

}  // namespace

Result<SimulatedPlant> SimulatedPlant::create(const PlantSetup& setup) {
  auto model = env::make_plant(setup.plant, 1, setup.overrides);
  if (!model) return std::unexpected(model.error());
  auto task = env::make_task(setup.plant);
  if (!task) return std::unexpected(task.error());
  const env::PlantSpec& spec = (*model)->spec();
  if (!setup.series || setup.series->variables != spec.exogenous.size())
    return fail(Errc::mismatch,
                std::format("plant {} needs {} exogenous variables", setup.plant, spec.exogenous.size()));
  if (setup.first_row + setup.steps * setup.series->stride >= setup.series->rows())
    return fail(Errc::invalid_argument,
                std::format("{} ends before {} steps from row {} are over; choose an earlier --start or fewer --days",
                            setup.series->name, setup.steps, setup.first_row));
  return SimulatedPlant(setup, std::move(*model), task->input_start);
}

SimulatedPlant::SimulatedPlant(PlantSetup setup, std::unique_ptr<env::PlantModel> model,
                               std::span<const double> input_start)
    : setup_(std::move(setup)),
      model_(std::move(model)),
      inputs_(input_start.begin(), input_start.end()),
      previous_inputs_(inputs_),
      true_(spec().measurements.size()),
      measured_(true_.size()),
      forecast_(setup_.forecast_leads * spec().exogenous.size()),
      reward_terms_(spec().reward_terms.size()) {
  perturb_parameters();
  observe();
}

void SimulatedPlant::perturb_parameters() {
  if (setup_.parameter_noise <= 0.0) return;
  Random random(setup_.seed, kSeasonStream);
  for (double& value : model_->parameters()) value *= 1.0 + setup_.parameter_noise * (random.uniform() - 0.5);
}

void SimulatedPlant::observe() {
  model_->measure(true_);
  std::ranges::copy(true_, measured_.begin());
  Random random(setup_.seed, kStepStreams + step_);
  if (setup_.observation_noise > 0.0)
    for (double& value : measured_) value *= 1.0 + setup_.observation_noise * random.normal();
  auto out = forecast_.begin();
  for (std::size_t lead = 1; lead <= setup_.forecast_leads; ++lead)
    out = std::ranges::copy(series().row(row(step_ + lead)), out).out;
}

double SimulatedPlant::progress() const noexcept {
  return setup_.steps == 0 ? 0.0 : std::min(1.0, static_cast<double>(step_) / static_cast<double>(setup_.steps));
}

void SimulatedPlant::step(std::span<const double> inputs) {
  RLTUNE_CHECK(inputs.size() == inputs_.size());
  previous_inputs_ = inputs_;
  std::ranges::copy(inputs, inputs_.begin());
  model_->step(inputs_, exogenous());
  const bool first = step_ == 0;
  ++step_;
  model_->reward(inputs_, previous_inputs_, exogenous(), first, reward_terms_);
  season_return_ += std::accumulate(reward_terms_.begin(), reward_terms_.end(), 0.0);
  observe();
}

PlantState SimulatedPlant::save() const {
  const auto states = model_->states();
  return {step_, {states.begin(), states.end()}, inputs_, reward_terms_, season_return_};
}

Result<> SimulatedPlant::restore(const PlantState& state) {
  if (state.states.size() != model_->states().size() || state.inputs.size() != inputs_.size() ||
      state.reward_terms.size() != reward_terms_.size() || state.step > setup_.steps)
    return fail(Errc::mismatch, "the saved state is of another plant or season");
  step_ = state.step;
  std::ranges::copy(state.states, model_->states().begin());
  inputs_ = previous_inputs_ = state.inputs;
  reward_terms_ = state.reward_terms;
  season_return_ = state.season_return;
  observe();
  return {};
}

}  // namespace rltune::twin
