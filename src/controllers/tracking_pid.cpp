// One PID loop for each set-point that the plant is asked to follow.
#include <algorithm>
#include <format>

#include "kinds.hpp"
#include "limited_controller.hpp"
#include "pid_loop.hpp"

namespace rltune::controllers {
namespace {

class TrackingPidController final : public LimitedController {
 public:
  TrackingPidController(const env::PlantSpec& plant, const ParameterValues& values)
      : LimitedController(plant), exogenous_count_(plant.exogenous.size()), preview_(values.at("preview") >= 0.5) {
    for (const TrackingLoop& at : tracking_loops(plant)) {
      const auto of = [&](const char* suffix) { return values.at(at.name + suffix); };
      const double scale = at.gain_sign * (plant.inputs[at.input].high - plant.inputs[at.input].low) /
                           (plant.measurements[at.measurement].high - plant.measurements[at.measurement].low);
      const double gain = of("_gain") * scale;
      const PidGains gains{.proportional = gain,
                           .integral_per_s = gain / std::max(of("_integral_periods"), 1e-6) / plant.sample_period_s,
                           .derivative_s = gain * of("_derivative_periods") * plant.sample_period_s,
                           .filter_s = of("_filter_periods") * plant.sample_period_s,
                           .setpoint_weight = of("_setpoint_weight"),
                           .tracking = std::clamp(of("_tracking"), 0.0, 1.0)};
      loops_.push_back({at, PidLoop(gains, plant.sample_period_s)});
    }
  }

  std::string_view name() const noexcept override { return "pid"; }
  std::size_t forecast_leads() const noexcept override { return preview_ ? 1 : 0; }

  void reset(const env::Snapshot& snapshot) noexcept override {
    for (auto& [at, pid] : loops_)
      pid.reset(setpoint(snapshot, at), snapshot.measurements[at.measurement], snapshot.inputs[at.input]);
  }

  void decide(const env::Snapshot& snapshot, std::span<double> inputs) noexcept override {
    std::ranges::copy(snapshot.inputs, inputs.begin());
    for (auto& [at, pid] : loops_)
      inputs[at.input] =
          pid.act(setpoint(snapshot, at), snapshot.measurements[at.measurement], snapshot.inputs[at.input]);
  }

 private:
  struct Loop {
    TrackingLoop at;
    PidLoop pid;
  };

  // With a preview: the set-point that will hold at the end of the period that is being decided.
  double setpoint(const env::Snapshot& snapshot, const TrackingLoop& at) const noexcept {
    const bool known = preview_ && snapshot.forecast.size() >= exogenous_count_;
    return known ? snapshot.forecast[at.setpoint] : snapshot.exogenous[at.setpoint];
  }

  std::size_t exogenous_count_;
  bool preview_;
  std::vector<Loop> loops_;
};

std::vector<ControllerParameter> parameters(const env::PlantSpec& plant) {
  std::vector<ControllerParameter> all{{"preview", "1", 0.0, 0.0, 1.0,
                                        "1: follow the set-point announced for the next period, where it is known",
                                        false}};
  for (const TrackingLoop& loop : tracking_loops(plant)) {
    const auto add = [&](const char* suffix, const char* unit, double value, double low, double high,
                         const char* text) {
      all.push_back({loop.name + suffix, unit, value, low, high, std::format("{}: {}", loop.name, text)});
    };
    add("_gain", "1", 1.0, 0.0, 10.0, "proportional gain, input span for measurement span");
    add("_integral_periods", "periods", 5.0, 0.5, 50.0, "integral time");
    add("_derivative_periods", "periods", 0.5, 0.0, 10.0, "derivative time");
    add("_filter_periods", "periods", 0.5, 0.0, 5.0, "time constant of the derivative's filter");
    add("_setpoint_weight", "1", 1.0, 0.0, 2.0, "share of the set-point in the proportional part");
    add("_tracking", "1", 1.0, 0.0, 1.0, "anti-windup: share of the unapplied output taken back each period");
  }
  return all;
}

bool tracks(const env::PlantSpec& plant) { return !tracking_loops(plant).empty(); }

Result<std::unique_ptr<Controller>> make(const env::PlantSpec& plant, const ParameterValues& values) {
  return std::make_unique<TrackingPidController>(plant, values);
}

}  // namespace

KindEntry tracking_pid_kind() {
  return {"pid", "a PID loop for each set-point, anti-windup, bumpless", true, tracks, parameters, make};
}

}  // namespace rltune::controllers
