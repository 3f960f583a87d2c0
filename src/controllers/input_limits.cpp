#include "input_limits.hpp"

#include <algorithm>
#include <cmath>

namespace rltune::controllers {

InputLimits::InputLimits(const env::PlantSpec& plant) : step_max_(plant.input_step_max) {
  for (const env::Variable& input : plant.inputs) {
    low_.push_back(input.low);
    high_.push_back(input.high);
  }
  step_max_.resize(low_.size(), 0.0);
}

double InputLimits::reach(std::size_t input, double previous, double wanted) const noexcept {
  const double step = step_max_[input];
  if (step > 0.0) wanted = previous + std::clamp(wanted - previous, -step, step);
  return std::clamp(wanted, low_[input], high_[input]);
}

bool InputLimits::apply(std::span<const double> previous, std::span<double> inputs) const noexcept {
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::ranges::all_of(inputs, finite) || !std::ranges::all_of(previous, finite)) {
    std::ranges::copy(previous, inputs.begin());
    return false;
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] = reach(i, previous[i], inputs[i]);
  return true;
}

}  // namespace rltune::controllers
