#include "local_control.hpp"

#include <algorithm>
#include <array>

namespace rltune::twin {
namespace {

// One hinge of a loop. A line with an empty measurement sets the input's bias to `threshold`.
struct Loop {
  std::string_view plant;
  std::string_view input;
  std::string_view measurement;
  double sign;
  double threshold;
  double gain;
};

// Lettuce: frost and mould are what kills the crop, so heat below 12 degC, open above 19 degC and 80 % and dose
// no CO2, which is dangerous to people in a house that nobody watches.
// CSTR: the reaction must neither run away nor go out, so cool when it is hot, warm when it is cold.
// Four tanks: a middle voltage fills none of them; no pump fills a tank that is nearly full.
constexpr std::array kLoops{
    Loop{"lettuce", "co2_supply", "", 0, 0.0, 0},
    Loop{"lettuce", "heating", "", 0, 0.0, 0},
    Loop{"lettuce", "heating", "air_temperature", -1, 12.0, 40.0},
    Loop{"lettuce", "ventilation", "", 0, 0.0, 0},
    Loop{"lettuce", "ventilation", "air_temperature", +1, 19.0, 1.0},
    Loop{"lettuce", "ventilation", "relative_humidity", +1, 80.0, 0.2},
    Loop{"cstr", "coolant_temperature", "", 0, 299.0, 0},
    Loop{"cstr", "coolant_temperature", "temperature", +1, 324.0, -0.5},
    Loop{"cstr", "coolant_temperature", "temperature", -1, 324.0, 0.5},
    Loop{"four-tank", "pump_voltage_1", "", 0, 5.05, 0},
    Loop{"four-tank", "pump_voltage_1", "level_1", +1, 0.5, -100.0},
    Loop{"four-tank", "pump_voltage_1", "level_4", +1, 0.5, -100.0},
    Loop{"four-tank", "pump_voltage_2", "", 0, 5.05, 0},
    Loop{"four-tank", "pump_voltage_2", "level_2", +1, 0.5, -100.0},
    Loop{"four-tank", "pump_voltage_2", "level_3", +1, 0.5, -100.0},
};

std::size_t index_of(const env::Space& space, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(space, name, &env::Variable::name) - space.begin());
}

}  // namespace

LocalControl::LocalControl(const env::PlantSpec& spec) : bounds_(spec.inputs.size()) {
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    bounds_[i].low = spec.inputs[i].low;
    bounds_[i].high = spec.inputs[i].high;
    if (i < spec.input_step_max.size()) bounds_[i].step_max = spec.input_step_max[i];
  }
  for (const Loop& loop : kLoops) {
    const std::size_t input = index_of(spec.inputs, loop.input);
    if (loop.plant != spec.name || input == bounds_.size()) continue;
    bounds_[input].controlled = true;
    if (loop.measurement.empty()) bounds_[input].bias = loop.threshold;
    const std::size_t measurement = index_of(spec.measurements, loop.measurement);
    if (measurement < spec.measurements.size())
      terms_.push_back({input, measurement, loop.sign, loop.threshold, loop.gain});
  }
}

void LocalControl::act(std::span<const double> measurements, std::span<const double> previous,
                       std::span<double> inputs) const noexcept {
  for (std::size_t i = 0; i < bounds_.size(); ++i) inputs[i] = bounds_[i].controlled ? bounds_[i].bias : previous[i];
  for (const Term& term : terms_)
    inputs[term.input] += term.gain * std::max(0.0, term.sign * (measurements[term.measurement] - term.threshold));
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    const Bounds& bound = bounds_[i];
    if (bound.step_max > 0.0)
      inputs[i] = std::clamp(inputs[i], previous[i] - bound.step_max, previous[i] + bound.step_max);
    inputs[i] = std::clamp(inputs[i], bound.low, bound.high);
  }
}

}  // namespace rltune::twin
