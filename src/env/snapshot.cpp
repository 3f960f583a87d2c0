#include "rltune/env/snapshot.hpp"

#include <algorithm>

#include "rltune/base/check.hpp"

namespace rltune::env {
namespace {

double value_of(const Feature& feature, const Snapshot& snapshot) noexcept {
  using enum Feature::Source;
  switch (feature.source) {
    case measurement:
      return snapshot.measurements[feature.index];
    case input:
      return snapshot.inputs[feature.index];
    case exogenous:
      return snapshot.exogenous[feature.index];
    case forecast:
      return snapshot.forecast[(feature.lead - 1) * snapshot.exogenous.size() + feature.index];
    case progress:
      return snapshot.progress;
  }
  RLTUNE_CHECK(false);
}

// NaN counts as 0: the input stays where it is (increment) or takes mid-range (absolute). Whoever acts on a
// real plant has checked for it before; see Outcome::fault.
double clipped(float action) noexcept {
  if (!(action >= -1.0F)) return action < -1.0F ? -1.0 : 0.0;
  return std::min(static_cast<double>(action), 1.0);
}

}  // namespace

void observe(const ObservationLayout& layout, const Snapshot& snapshot, std::span<float> out) noexcept {
  RLTUNE_CHECK(out.size() == layout.size());
  for (std::size_t i = 0; i < layout.size(); ++i) out[i] = static_cast<float>(value_of(layout[i], snapshot));
}

Space action_space(const Space& inputs, const ActionLayout& layout) {
  RLTUNE_CHECK(inputs.size() == layout.size());
  Space space = inputs;
  for (std::size_t i = 0; i < layout.size(); ++i) {
    const bool increment = layout[i].kind == Actuation::Kind::increment;
    space[i].low = increment ? -layout[i].step_max : layout[i].low;
    space[i].high = increment ? layout[i].step_max : layout[i].high;
    if (increment) space[i].description = "change of " + space[i].name;
  }
  return space;
}

void actuate(const ActionLayout& layout, std::span<const float> actions, std::span<const double> previous_inputs,
             std::span<double> inputs) noexcept {
  RLTUNE_CHECK(actions.size() == layout.size() && inputs.size() == layout.size());
  for (std::size_t i = 0; i < layout.size(); ++i) {
    const Actuation& part = layout[i];
    const double action = clipped(actions[i]);
    inputs[i] = part.kind == Actuation::Kind::absolute
                    ? part.low + 0.5 * (action + 1.0) * (part.high - part.low)
                    : std::clamp(previous_inputs[i] + action * part.step_max, part.low, part.high);
  }
}

double action_for(const Actuation& actuation, double input, double previous) noexcept {
  if (actuation.kind == Actuation::Kind::increment) return (input - previous) / actuation.step_max;
  return 2.0 * (input - actuation.low) / (actuation.high - actuation.low) - 1.0;
}

}  // namespace rltune::env
