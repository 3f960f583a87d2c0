// Rules by threshold and proportion, as a climate computer has them: the published grower's rule, and a fuller one
// whose numbers are worth tuning.
#include <algorithm>

#include "kinds.hpp"
#include "limited_controller.hpp"

namespace rltune::controllers {
namespace {

// The grower's rule of the published comparison (van Laatum et al. 2026).
class GrowerController final : public LimitedController {
 public:
  GrowerController(const env::PlantSpec& plant, const ParameterValues& values)
      : LimitedController(plant),
        at_(*greenhouse_signals(plant)),
        day_radiation_(values.at("day_radiation")),
        setpoint_day_(values.at("setpoint_day")),
        setpoint_night_(values.at("setpoint_night")),
        heat_gain_(values.at("heat_gain")),
        vent_offset_(values.at("vent_offset")),
        vent_gain_(values.at("vent_gain")),
        humidity_setpoint_(values.at("humidity_setpoint")),
        humidity_gain_(values.at("humidity_gain")),
        co2_setpoint_(values.at("co2_setpoint")),
        co2_gain_(values.at("co2_gain")),
        co2_vent_max_(values.at("co2_vent_max")) {}

  std::string_view name() const noexcept override { return "grower"; }

  void decide(const env::Snapshot& snapshot, std::span<double> inputs) noexcept override {
    const double temperature = snapshot.measurements[at_.temperature];
    const double humidity = snapshot.measurements[at_.humidity];
    const bool day = snapshot.exogenous[at_.radiation] > day_radiation_;
    const double setpoint = day ? setpoint_day_ : setpoint_night_;
    const double vent = vent_gain_ * std::max(0.0, temperature - setpoint - vent_offset_) +
                        humidity_gain_ * std::max(0.0, humidity - humidity_setpoint_);
    const double clipped_vent = std::clamp(vent, limits_.low(at_.ventilation), limits_.high(at_.ventilation));
    const bool enrich = day && clipped_vent <= co2_vent_max_;
    inputs[at_.heating] = heat_gain_ * (setpoint - temperature);
    inputs[at_.ventilation] = vent;
    inputs[at_.co2_supply] = enrich ? co2_gain_ * (co2_setpoint_ - snapshot.measurements[at_.co2]) : 0.0;
    for (std::size_t i : {at_.heating, at_.ventilation, at_.co2_supply})
      inputs[i] = std::clamp(inputs[i], limits_.low(i), limits_.high(i));
  }

 private:
  GreenhouseSignals at_;
  double day_radiation_, setpoint_day_, setpoint_night_, heat_gain_, vent_offset_, vent_gain_, humidity_setpoint_,
      humidity_gain_, co2_setpoint_, co2_gain_, co2_vent_max_;
};

std::vector<ControllerParameter> grower_parameters(const env::PlantSpec&) {
  return {
      {"day_radiation", "W/m2", 50.0, 0.0, 150.0, "brighter counts as day"},
      {"setpoint_day", "degC", 14.0, 8.0, 24.0, "heating set-point by day"},
      {"setpoint_night", "degC", 10.0, 5.0, 20.0, "heating set-point by night"},
      {"heat_gain", "W/m2/degC", 30.0, 5.0, 100.0, "heat for each degree below the set-point"},
      {"vent_offset", "degC", 2.0, 0.0, 10.0, "dead band above the set-point before the vents open"},
      {"vent_gain", "mm/s/degC", 2.0, 0.1, 5.0, "ventilation for each degree above"},
      {"humidity_setpoint", "%", 80.0, 60.0, 95.0, "relative humidity above which the vents open"},
      {"humidity_gain", "mm/s/%", 0.5, 0.01, 2.0, "ventilation for each per cent above"},
      {"co2_setpoint", "ppm", 750.0, 400.0, 1600.0, "CO2 set-point by day"},
      {"co2_gain", "mg/m2/s/ppm", 0.006, 0.001, 0.02, "supply for each ppm below"},
      {"co2_vent_max", "mm/s", 2.0, 0.0, 7.5, "no CO2 with the vents open wider"},
  };
}

// Heating, ventilation and CO2 each by proportion; warmer and richer with light, drying by heat and vents together,
// and CO2 that gives way smoothly as the vents open.
class GreenhouseRuleController final : public LimitedController {
 public:
  GreenhouseRuleController(const env::PlantSpec& plant, const ParameterValues& values)
      : LimitedController(plant),
        at_(*greenhouse_signals(plant)),
        day_radiation_(values.at("day_radiation")),
        heat_day_(values.at("heat_setpoint_day")),
        heat_night_(values.at("heat_setpoint_night")),
        heat_light_(values.at("heat_light")),
        heat_gain_(values.at("heat_gain")),
        heat_humidity_gain_(values.at("heat_humidity_gain")),
        vent_day_(values.at("vent_setpoint_day")),
        vent_night_(values.at("vent_setpoint_night")),
        vent_gain_(values.at("vent_gain")),
        humidity_setpoint_(values.at("humidity_setpoint")),
        humidity_gain_(values.at("humidity_gain")),
        co2_day_(values.at("co2_setpoint_day")),
        co2_night_(values.at("co2_setpoint_night")),
        co2_gain_(values.at("co2_gain")),
        co2_vent_max_(values.at("co2_vent_max")) {}

  std::string_view name() const noexcept override { return "rule"; }

  void decide(const env::Snapshot& snapshot, std::span<double> inputs) noexcept override {
    const double temperature = snapshot.measurements[at_.temperature];
    const double radiation = snapshot.exogenous[at_.radiation];
    const bool day = radiation > day_radiation_;
    const double heat_setpoint = day ? heat_day_ + heat_light_ * (radiation - day_radiation_) / 100.0 : heat_night_;
    const double humid = std::max(0.0, snapshot.measurements[at_.humidity] - humidity_setpoint_);
    const double vent =
        vent_gain_ * std::max(0.0, temperature - (day ? vent_day_ : vent_night_)) + humidity_gain_ * humid;
    const double co2 = co2_gain_ * ((day ? co2_day_ : co2_night_) - snapshot.measurements[at_.co2]);
    inputs[at_.heating] = heat_gain_ * (heat_setpoint - temperature) + heat_humidity_gain_ * humid;
    inputs[at_.ventilation] = vent;
    inputs[at_.co2_supply] = co2 * std::clamp(1.0 - vent / std::max(co2_vent_max_, 1e-3), 0.0, 1.0);
    for (std::size_t i : {at_.heating, at_.ventilation, at_.co2_supply})
      inputs[i] = std::clamp(inputs[i], limits_.low(i), limits_.high(i));
  }

 private:
  GreenhouseSignals at_;
  double day_radiation_, heat_day_, heat_night_, heat_light_, heat_gain_, heat_humidity_gain_, vent_day_, vent_night_,
      vent_gain_, humidity_setpoint_, humidity_gain_, co2_day_, co2_night_, co2_gain_, co2_vent_max_;
};

std::vector<ControllerParameter> greenhouse_rule_parameters(const env::PlantSpec&) {
  return {
      {"day_radiation", "W/m2", 50.0, 0.0, 200.0, "brighter counts as day"},
      {"heat_setpoint_day", "degC", 11.0, 5.0, 20.0, "heating set-point by day"},
      {"heat_setpoint_night", "degC", 10.5, 5.0, 18.0, "heating set-point by night"},
      {"heat_light", "degC/(100 W/m2)", 0.0, -2.0, 4.0, "set-point rise with light"},
      {"heat_gain", "W/m2/degC", 30.0, 2.0, 100.0, "heat for each degree below the set-point"},
      {"heat_humidity_gain", "W/m2/%", 3.0, 0.0, 20.0, "heat for each per cent of humidity above its set-point"},
      {"vent_setpoint_day", "degC", 14.0, 6.0, 26.0, "vents open above it by day"},
      {"vent_setpoint_night", "degC", 18.0, 8.0, 24.0, "vents open above it by night"},
      {"vent_gain", "mm/s/degC", 0.9, 0.05, 5.0, "ventilation for each degree above"},
      {"humidity_setpoint", "%", 75.0, 60.0, 95.0, "relative humidity above which vents open and heat dries"},
      {"humidity_gain", "mm/s/%", 0.35, 0.0, 2.0, "ventilation for each per cent above"},
      {"co2_setpoint_day", "ppm", 1250.0, 400.0, 2000.0, "CO2 set-point by day"},
      {"co2_setpoint_night", "ppm", 700.0, 200.0, 1000.0, "CO2 set-point by night"},
      {"co2_gain", "mg/m2/s/ppm", 0.01, 0.0002, 0.04, "supply for each ppm below"},
      {"co2_vent_max", "mm/s", 12.0, 0.2, 30.0, "supply falls to nothing as ventilation opens this far"},
  };
}

bool is_greenhouse(const env::PlantSpec& plant) { return greenhouse_signals(plant).has_value(); }

template <typename T>
Result<std::unique_ptr<Controller>> make(const env::PlantSpec& plant, const ParameterValues& values) {
  return std::make_unique<T>(plant, values);
}

}  // namespace

KindEntry grower_kind() {
  return {"grower", "the published grower's rule", true, is_greenhouse, grower_parameters, make<GrowerController>};
}

KindEntry greenhouse_rule_kind() {
  return {"rule",
          "thresholds and proportions with 15 numbers",
          true,
          is_greenhouse,
          greenhouse_rule_parameters,
          make<GreenhouseRuleController>};
}

}  // namespace rltune::controllers
