#include "limited_controller.hpp"

#include <algorithm>
#include <cmath>

namespace rltune::controllers {

Outcome LimitedController::act(const env::Snapshot& snapshot, std::span<double> inputs) noexcept {
  const auto finite = [](std::span<const double> values) {
    return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
  };
  if (!finite(snapshot.measurements) || !finite(snapshot.inputs) || !finite(snapshot.exogenous)) {
    std::ranges::copy(snapshot.inputs, inputs.begin());
    return Outcome::fault;
  }
  decide(snapshot, inputs);
  return limits_.apply(snapshot.inputs, inputs) ? Outcome::ok : Outcome::fault;
}

}  // namespace rltune::controllers
