// The plant's states from its measurements: the model's prediction, corrected by a damped Gauss-Newton step onto what
// the sensors say (Nocedal & Wright 2006, section 10.3). Exact where the sensors determine the states; where they do
// not (humidity at saturation) the prediction stands.
//
// Threads: one estimator belongs to one thread. Memory: the constructor allocates, nothing after it does.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "rltune/env/plant_model.hpp"

namespace rltune::controllers {

class StateEstimator {
 public:
  // REQUIRES: model->size() == states + 1: one instance for the estimate, one for each of its neighbours.
  explicit StateEstimator(std::unique_ptr<env::PlantModel> model);

  void reset(std::span<const double> measurements) noexcept;
  // One sample period under these inputs and exogenous signals, then the correction.
  void update(std::span<const double> inputs, std::span<const double> exogenous,
              std::span<const double> measurements) noexcept;
  std::span<const double> states() const noexcept { return estimate_; }

 private:
  void correct(std::span<const double> measurements) noexcept;
  void linearise() noexcept;
  bool solve() noexcept;

  std::unique_ptr<env::PlantModel> model_;
  std::size_t states_count_, measurements_count_, batch_;
  std::vector<double> start_, estimate_, state_scale_, measurement_scale_;
  std::vector<double> inputs_, exogenous_, measured_, jacobian_, normal_, right_, residual_;
};

}  // namespace rltune::controllers
