// What the actuators can do in one sample period: bounds and largest step.
#pragma once

#include <span>
#include <vector>

#include "rltune/env/plant_model.hpp"

namespace rltune::controllers {

class InputLimits {
 public:
  explicit InputLimits(const env::PlantSpec& plant);

  std::size_t size() const noexcept { return low_.size(); }
  double low(std::size_t input) const noexcept { return low_[input]; }
  double high(std::size_t input) const noexcept { return high_[input]; }
  double step_max(std::size_t input) const noexcept { return step_max_[input]; }

  // The reachable value nearest to `wanted`. REQUIRES: finite arguments.
  double reach(std::size_t input, double previous, double wanted) const noexcept;

  // Replaces wanted values by reachable ones. False, and `inputs` as they were applied before, when a value
  // is not finite.
  bool apply(std::span<const double> previous, std::span<double> inputs) const noexcept;

 private:
  std::vector<double> low_, high_, step_max_;
};

}  // namespace rltune::controllers
