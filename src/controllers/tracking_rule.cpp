// A rule for plants that follow set-points: a line from set-point to input, corrected in proportion to the error
// outside a dead band. It has no memory.
#include <algorithm>
#include <cmath>

#include "kinds.hpp"
#include "limited_controller.hpp"

namespace rltune::controllers {
namespace {

struct RuleLoop {
  TrackingLoop at;
  double middle, half_span;  // of the measurement's range
  double input_middle, input_half_span;
  double bias, feedforward, gain, dead_band;
};

class TrackingRuleController final : public LimitedController {
 public:
  TrackingRuleController(const env::PlantSpec& plant, const ParameterValues& values) : LimitedController(plant) {
    for (const TrackingLoop& at : tracking_loops(plant)) {
      const env::Variable& range = plant.measurements[at.measurement];
      const env::Variable& input = plant.inputs[at.input];
      loops_.push_back({at, (range.low + range.high) / 2, (range.high - range.low) / 2, (input.low + input.high) / 2,
                        (input.high - input.low) / 2, values.at(at.name + "_bias"), values.at(at.name + "_feedforward"),
                        values.at(at.name + "_gain"), values.at(at.name + "_dead_band")});
    }
  }

  std::string_view name() const noexcept override { return "rule"; }

  void decide(const env::Snapshot& snapshot, std::span<double> inputs) noexcept override {
    std::ranges::copy(snapshot.inputs, inputs.begin());
    for (const RuleLoop& loop : loops_) {
      const double setpoint = (snapshot.exogenous[loop.at.setpoint] - loop.middle) / loop.half_span;
      const double value = (snapshot.measurements[loop.at.measurement] - loop.middle) / loop.half_span;
      const double error = setpoint - value;
      const double acting = std::copysign(std::max(0.0, std::abs(error) - loop.dead_band), error);
      const double output = loop.bias + loop.at.gain_sign * (loop.feedforward * setpoint + loop.gain * acting);
      inputs[loop.at.input] = loop.input_middle + loop.input_half_span * output;
    }
  }

 private:
  std::vector<RuleLoop> loops_;
};

std::vector<ControllerParameter> parameters(const env::PlantSpec& plant) {
  std::vector<ControllerParameter> all;
  for (const TrackingLoop& loop : tracking_loops(plant)) {
    all.push_back(
        {loop.name + "_bias", "1", 0.0, -1.0, 1.0, "input with the set-point in mid-range; -1 to 1 spans the input"});
    all.push_back({loop.name + "_feedforward", "1", 0.2, -1.0, 2.0, "input for the set-point, both in half spans"});
    all.push_back({loop.name + "_gain", "1", 1.0, 0.0, 10.0, "input for the error, both in half spans"});
    all.push_back({loop.name + "_dead_band", "1", 0.0, 0.0, 0.2, "error that is let be, in half spans"});
  }
  return all;
}

bool tracks(const env::PlantSpec& plant) { return !tracking_loops(plant).empty(); }

Result<std::unique_ptr<Controller>> make(const env::PlantSpec& plant, const ParameterValues& values) {
  return std::make_unique<TrackingRuleController>(plant, values);
}

}  // namespace

KindEntry tracking_rule_kind() {
  return {"rule", "feed-forward from the set-point and a proportional correction", true, tracks, parameters, make};
}

}  // namespace rltune::controllers
