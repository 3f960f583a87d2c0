// The quadruple tank of Johansson 2000 as posed by pc-gym (arXiv 2410.22093): two pumps, four coupled tanks.
//
//   dh1 = -a1/A1 sqrt(2g h1) + a3/A1 sqrt(2g h3) + g1 k1/A1 v1
//   dh2 = -a2/A2 sqrt(2g h2) + a4/A2 sqrt(2g h4) + g2 k2/A2 v2
//   dh3 = -a3/A3 sqrt(2g h3) + (1-g2) k2/A3 v2
//   dh4 = -a4/A4 sqrt(2g h4) + (1-g1) k1/A4 v1
//
// reward = -reward_scale sum over h3, h4 of ((h - set-point)/0.6)^2 - move_weight sum of ((v - v_previous)/9.9)^2,
// without the moves on an episode's first step. RK4 with fixed substeps, converged to 1e-9 relative away from
// an empty tank (plants_test); a level never falls below 0.
#include <array>
#include <cmath>

#include "plant_entry.hpp"

namespace rltune::env {
namespace {

namespace par {
enum Index : std::size_t {
  g,
  gamma_1,
  gamma_2,
  k1,
  k2,
  a1,
  a2,
  a3,
  a4,
  area_1,
  area_2,
  area_3,
  area_4,
  reward_scale,
  move_weight
};
}

constexpr double kPeriod = 1000.0 / 60.0;
constexpr int kSubsteps = 64;
constexpr std::size_t kTanks = 4;
constexpr std::array<double, kTanks> kStateStart{0.141, 0.112, 0.072, 0.42};
constexpr double kLevelRange = 0.6, kVoltageLow = 0.1, kVoltageHigh = 10.0;

using Levels = std::array<double, kTanks>;

class FourTank final : public ModelBase {
 public:
  FourTank(PlantSpec spec, std::size_t size) : ModelBase(std::move(spec), size, kStateStart) {}

  void step(std::span<const double> inputs, std::span<const double>) noexcept override {
    for (std::size_t i = 0; i < size_; ++i) {
      Levels h;
      for (std::size_t tank = 0; tank < kTanks; ++tank) h[tank] = state(tank)[i];
      for (int substep = 0; substep < kSubsteps; ++substep) advance(i, inputs[i], inputs[size_ + i], h);
      for (std::size_t tank = 0; tank < kTanks; ++tank) states_[tank * size_ + i] = h[tank];
    }
  }

  void measure(std::span<double> measurements) const noexcept override {
    std::copy(states_.begin(), states_.end(), measurements.begin());
  }

  void reward(std::span<const double> inputs, std::span<const double> previous_inputs,
              std::span<const double> exogenous, bool first, std::span<double> terms) const noexcept override {
    for (std::size_t i = 0; i < size_; ++i) {
      const double three = (state(2)[i] - exogenous[i]) / kLevelRange;
      const double four = (state(3)[i] - exogenous[size_ + i]) / kLevelRange;
      double moves = 0.0;
      for (std::size_t pump = 0; pump < 2 && !first; ++pump) {
        const double move =
            (inputs[pump * size_ + i] - previous_inputs[pump * size_ + i]) / (kVoltageHigh - kVoltageLow);
        moves += move * move;
      }
      terms[i] = -parameter(par::reward_scale)[i] * (three * three + four * four);
      terms[size_ + i] = -parameter(par::move_weight)[i] * moves;
    }
  }

 private:
  Levels slope(std::size_t i, double v1, double v2, const Levels& h) const noexcept {
    const auto c = [&](std::size_t index) { return parameter(index)[i]; };
    Levels out;
    for (std::size_t tank = 0; tank < kTanks; ++tank)
      out[tank] = c(par::a1 + tank) * std::sqrt(2.0 * c(par::g) * (h[tank] > 0.0 ? h[tank] : 0.0));
    const double pumped1 = c(par::k1) * v1, pumped2 = c(par::k2) * v2;
    return {(-out[0] + out[2] + c(par::gamma_1) * pumped1) / c(par::area_1),
            (-out[1] + out[3] + c(par::gamma_2) * pumped2) / c(par::area_2),
            (-out[2] + (1.0 - c(par::gamma_2)) * pumped2) / c(par::area_3),
            (-out[3] + (1.0 - c(par::gamma_1)) * pumped1) / c(par::area_4)};
  }

  void advance(std::size_t i, double v1, double v2, Levels& h) const noexcept {
    const double dt = kPeriod / kSubsteps;
    const auto ahead = [&](double time, const Levels& rate) {
      Levels moved;
      for (std::size_t tank = 0; tank < kTanks; ++tank) moved[tank] = h[tank] + time * rate[tank];
      return moved;
    };
    const Levels k1 = slope(i, v1, v2, h);
    const Levels k2 = slope(i, v1, v2, ahead(dt / 2, k1));
    const Levels k3 = slope(i, v1, v2, ahead(dt / 2, k2));
    const Levels k4 = slope(i, v1, v2, ahead(dt, k3));
    for (std::size_t tank = 0; tank < kTanks; ++tank) {
      const double level = h[tank] + dt / 6 * (k1[tank] + 2 * k2[tank] + 2 * k3[tank] + k4[tank]);
      h[tank] = level > 0.0 ? level : 0.0;
    }
  }
};

PlantSpec spec() {
  PlantSpec made{.name = "four-tank",
                 .description = "quadruple tank with two pumps, 4 states (Johansson 2000, task of pc-gym)"};
  made.sample_period_s = kPeriod;
  made.parameters = {{"g", "m/s2", 9.81, "gravity"},
                     {"gamma_1", "1", 0.2, "share of pump 1 that goes to tank 1"},
                     {"gamma_2", "1", 0.2, "share of pump 2 that goes to tank 2"},
                     {"k1", "m3/s/V", 0.00085, "pump 1"},
                     {"k2", "m3/s/V", 0.00095, "pump 2"},
                     {"a1", "m2", 0.0035, "outlet of tank 1"},
                     {"a2", "m2", 0.0030, "outlet of tank 2"},
                     {"a3", "m2", 0.0020, "outlet of tank 3"},
                     {"a4", "m2", 0.0025, "outlet of tank 4"},
                     {"A1", "m2", 1.0, "cross-section of tank 1"},
                     {"A2", "m2", 1.0, "cross-section of tank 2"},
                     {"A3", "m2", 1.0, "cross-section of tank 3"},
                     {"A4", "m2", 1.0, "cross-section of tank 4"},
                     {"reward_scale", "1", 1.0, "weight of the squared errors", false},
                     {"move_weight", "1", 0.1, "weight of the squared moves", false}};
  for (std::size_t tank = 1; tank <= kTanks; ++tank)
    made.states.push_back(
        {"level_" + std::to_string(tank), "m", 0.0, kLevelRange, "level of tank " + std::to_string(tank)});
  made.inputs = {{"pump_voltage_1", "V", kVoltageLow, kVoltageHigh, "pump 1: tanks 1 and 4"},
                 {"pump_voltage_2", "V", kVoltageLow, kVoltageHigh, "pump 2: tanks 2 and 3"}};
  made.input_start.assign(2, (kVoltageLow + kVoltageHigh) / 2);
  made.input_step_max.assign(2, 0.0);
  made.measurements = made.states;
  made.exogenous = {{"level_3_setpoint", "m", 0.0, kLevelRange, "wanted level of tank 3"},
                    {"level_4_setpoint", "m", 0.0, kLevelRange, "wanted level of tank 4"}};
  made.reward_terms = {{"tracking", "1", -2.0, 0.0, "squared deviations from the set-points"},
                       {"moves", "1", -0.2, 0.0, "squared input moves"}};
  return made;
}

std::unique_ptr<PlantModel> make(PlantSpec made, std::size_t size) {
  return std::make_unique<FourTank>(std::move(made), size);
}

Task task(const PlantSpec& of, const TaskOptions& options) {
  Task made{.plant = of.name, .state_start = {kStateStart.begin(), kStateStart.end()}, .input_start = of.input_start};
  made.steps = 59;
  auto schedule = std::make_shared<ExogenousSeries>();
  schedule->name = "pc-gym set-points";
  schedule->variables = 2;
  schedule->row_period_s = of.sample_period_s;
  for (int t = 0; t < 60; ++t) {
    schedule->values.push_back(t < 30 ? 0.5 : 0.1);
    schedule->values.push_back(t < 30 ? 0.2 : 0.3);
  }
  made.schedule = std::move(schedule);
  process_layouts(of, options, made);
  made.measurement_noise.assign(kTanks, 0.05);
  return made;
}

}  // namespace

const PlantEntry kFourTank{spec, make, task};

}  // namespace rltune::env
