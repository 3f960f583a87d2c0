// Four PID loops of a greenhouse: heating on temperature, ventilation on whichever of temperature and humidity asks
// for more (each tracks what the vents really do), CO2 on its concentration by day.
#include <algorithm>
#include <format>

#include "kinds.hpp"
#include "limited_controller.hpp"
#include "pid_loop.hpp"

namespace rltune::controllers {
namespace {

PidGains gains(const env::PlantSpec& plant, const ParameterValues& values, const std::string& loop, double sign) {
  const double gain = sign * values.at(loop + "_gain");
  return {.proportional = gain,
          .integral_per_s = gain / (std::max(values.at(loop + "_integral_periods"), 1e-6) * plant.sample_period_s),
          .derivative_s = gain * values.at(loop + "_derivative_periods") * plant.sample_period_s,
          .filter_s = plant.sample_period_s,
          .setpoint_weight = 1.0,
          .tracking = 1.0};
}

class GreenhousePidController final : public LimitedController {
 public:
  GreenhousePidController(const env::PlantSpec& plant, const ParameterValues& values)
      : LimitedController(plant),
        at_(*greenhouse_signals(plant)),
        heating_(gains(plant, values, "heating", 1.0), plant.sample_period_s),
        cooling_(gains(plant, values, "cooling", -1.0), plant.sample_period_s),
        drying_(gains(plant, values, "drying", -1.0), plant.sample_period_s),
        co2_(gains(plant, values, "co2", 1.0), plant.sample_period_s),
        day_radiation_(values.at("day_radiation")),
        heat_day_(values.at("heat_setpoint_day")),
        heat_night_(values.at("heat_setpoint_night")),
        cooling_setpoint_(values.at("cooling_setpoint")),
        humidity_setpoint_(values.at("humidity_setpoint")),
        co2_day_(values.at("co2_setpoint_day")),
        co2_night_(values.at("co2_setpoint_night")),
        co2_vent_max_(values.at("co2_vent_max")) {}

  std::string_view name() const noexcept override { return "pid"; }

  void reset(const env::Snapshot& snapshot) noexcept override {
    const Setpoints wanted = setpoints(snapshot);
    const auto& now = snapshot.measurements;
    heating_.reset(wanted.heat, now[at_.temperature], snapshot.inputs[at_.heating]);
    cooling_.reset(cooling_setpoint_, now[at_.temperature], snapshot.inputs[at_.ventilation]);
    drying_.reset(humidity_setpoint_, now[at_.humidity], snapshot.inputs[at_.ventilation]);
    co2_.reset(wanted.co2, now[at_.co2], snapshot.inputs[at_.co2_supply]);
  }

  void decide(const env::Snapshot& snapshot, std::span<double> inputs) noexcept override {
    const Setpoints wanted = setpoints(snapshot);
    const auto& now = snapshot.measurements;
    const double vent = snapshot.inputs[at_.ventilation];
    inputs[at_.heating] = heating_.act(wanted.heat, now[at_.temperature], snapshot.inputs[at_.heating]);
    inputs[at_.ventilation] = std::max(cooling_.act(cooling_setpoint_, now[at_.temperature], vent),
                                       drying_.act(humidity_setpoint_, now[at_.humidity], vent));
    const double supply = co2_.act(wanted.co2, now[at_.co2], snapshot.inputs[at_.co2_supply]);
    inputs[at_.co2_supply] = vent <= co2_vent_max_ ? supply : 0.0;
  }

 private:
  struct Setpoints {
    double heat, co2;
  };
  Setpoints setpoints(const env::Snapshot& snapshot) const noexcept {
    const bool day = snapshot.exogenous[at_.radiation] > day_radiation_;
    return day ? Setpoints{heat_day_, co2_day_} : Setpoints{heat_night_, co2_night_};
  }

  GreenhouseSignals at_;
  PidLoop heating_, cooling_, drying_, co2_;
  double day_radiation_, heat_day_, heat_night_, cooling_setpoint_, humidity_setpoint_, co2_day_, co2_night_,
      co2_vent_max_;
};

void add_loop(std::vector<ControllerParameter>& all, const std::string& loop, const char* unit, double gain,
              double gain_high) {
  all.push_back({loop + "_gain", unit, gain, 0.0, gain_high, loop + ": proportional gain"});
  all.push_back({loop + "_integral_periods", "periods", 20.0, 1.0, 200.0, loop + ": integral time"});
  all.push_back({loop + "_derivative_periods", "periods", 0.0, 0.0, 4.0, loop + ": derivative time"});
}

std::vector<ControllerParameter> parameters(const env::PlantSpec&) {
  std::vector<ControllerParameter> all{
      {"day_radiation", "W/m2", 20.0, 0.0, 150.0, "brighter counts as day"},
      {"heat_setpoint_day", "degC", 13.0, 6.0, 20.0, "heating set-point by day"},
      {"heat_setpoint_night", "degC", 10.5, 5.0, 18.0, "heating set-point by night"},
      {"cooling_setpoint", "degC", 19.5, 12.0, 26.0, "temperature that ventilation keeps below"},
      {"humidity_setpoint", "%", 80.0, 60.0, 95.0, "relative humidity that ventilation keeps below"},
      {"co2_setpoint_day", "ppm", 1200.0, 400.0, 2000.0, "CO2 set-point by day"},
      {"co2_setpoint_night", "ppm", 450.0, 200.0, 1000.0, "CO2 set-point by night"},
      {"co2_vent_max", "mm/s", 3.0, 0.0, 7.5, "no CO2 with the vents open wider"},
  };
  add_loop(all, "heating", "W/m2/degC", 20.0, 100.0);
  add_loop(all, "cooling", "mm/s/degC", 0.5, 5.0);
  add_loop(all, "drying", "mm/s/%", 0.1, 2.0);
  add_loop(all, "co2", "mg/m2/s/ppm", 0.002, 0.02);
  return all;
}

bool is_greenhouse(const env::PlantSpec& plant) { return greenhouse_signals(plant).has_value(); }

Result<std::unique_ptr<Controller>> make(const env::PlantSpec& plant, const ParameterValues& values) {
  return std::make_unique<GreenhousePidController>(plant, values);
}

}  // namespace

KindEntry greenhouse_pid_kind() {
  return {"pid",      "PID loops for heating, cooling, drying and CO2, anti-windup, bumpless",
          true,       is_greenhouse,
          parameters, make};
}

}  // namespace rltune::controllers
