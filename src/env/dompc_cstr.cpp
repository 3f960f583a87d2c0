// The continuous stirred tank reactor of do-mpc's example (Klatt & Engell 1998, doi 10.1016/S0098-1354(98)00261-2): A
// reacts to the wanted B and on to C, and beside it to D. Hours and degrees Celsius inside. A temperature that must not
// be passed, and two parameters that the controller does not know.
//
//   K1 = beta K0ab exp(-E1/(TR + 273.15)), K2 = K0bc exp(-E2/(..)), K3 = K0ad exp(-alpha E3/(..))
//   dCa = F (CA0 - Ca) - K1 Ca - K3 Ca^2
//   dCb = -F Cb + K1 Ca - K2 Cb
//   dTR = -(K1 Ca Hab + K2 Cb Hbc + K3 Ca^2 Had)/(rho cp) + F (Tin - TR) - Kw A (TR - TK)/(rho cp V)
//   dTK = (Q + Kw A (TR - TK))/(mk cpk)
//
// reward = -tracking_weight |Cb - set-point| - limit_weight max(0, TR - limit) - move_weight sum (move/range)^2,
// without the moves on an episode's first step. RK4, substeps doubled until converged to 1e-9.
#include <array>
#include <cmath>

#include "lane_math.hpp"
#include "plant_entry.hpp"

namespace rltune::env {
namespace {

namespace par {
enum Index : std::size_t {
  alpha,
  beta,
  k0_ab,
  k0_bc,
  k0_ad,
  e_ab,
  e_bc,
  e_ad,
  h_ab,
  h_bc,
  h_ad,
  rho,
  cp,
  cp_jacket,
  area,
  volume,
  mass_jacket,
  t_in,
  k_w,
  ca_0,
  limit,
  tracking_weight,
  limit_weight,
  move_weight
};
}

constexpr double kPeriodHours = 0.005;
constexpr int kSubsteps = 4;
constexpr int kSubstepsMax = 4096;
constexpr double kTolerance = 1e-9;
constexpr double kFlowLow = 5.0, kFlowHigh = 100.0, kCoolingLow = -8500.0, kCoolingHigh = 0.0;
constexpr std::array<double, 4> kStateStart{0.8, 0.5, 134.14, 130.0};
constexpr std::array<double, 2> kInputStart{18.83, -4495.7};  // the operating point of Klatt & Engell

using Reactor = std::array<double, 4>;  // Ca, Cb, TR, TK

class DompcCstr final : public ModelBase {
 public:
  DompcCstr(PlantSpec spec, std::size_t size) : ModelBase(std::move(spec), size, kStateStart) {}

  void step(std::span<const double> inputs, std::span<const double>) noexcept override {
    for (std::size_t i = 0; i < size_; ++i) {
      const Reactor start{state(0)[i], state(1)[i], state(2)[i], state(3)[i]};
      const Reactor end = converged(i, start, inputs[i], inputs[size_ + i]);
      for (std::size_t s = 0; s < end.size(); ++s)
        states_[s * size_ + i] = lane_clamp(end[s], spec_.states[s].low, spec_.states[s].high);
    }
  }

  void measure(std::span<double> measurements) const noexcept override {
    std::copy(states_.begin(), states_.end(), measurements.begin());
  }

  void reward(std::span<const double> inputs, std::span<const double> previous_inputs,
              std::span<const double> exogenous, bool first, std::span<double> terms) const noexcept override {
    for (std::size_t i = 0; i < size_; ++i) {
      double moves = 0.0;
      for (std::size_t u = 0; u < 2 && !first; ++u) {
        const Variable& input = spec_.inputs[u];
        const double move = (inputs[u * size_ + i] - previous_inputs[u * size_ + i]) / (input.high - input.low);
        moves += move * move;
      }
      const double beyond = state(2)[i] - parameter(par::limit)[i];
      terms[i] = -parameter(par::tracking_weight)[i] * std::fabs(state(1)[i] - exogenous[i]);
      terms[size_ + i] = -parameter(par::limit_weight)[i] * (beyond > 0.0 ? beyond : 0.0);
      terms[2 * size_ + i] = -parameter(par::move_weight)[i] * moves;
    }
  }

 private:
  Reactor converged(std::size_t i, const Reactor& start, double flow, double cooling) const noexcept {
    Reactor coarse = integrated(i, start, flow, cooling, kSubsteps);
    for (int substeps = 2 * kSubsteps; substeps <= kSubstepsMax; substeps *= 2) {
      const Reactor fine = integrated(i, start, flow, cooling, substeps);
      double difference = 0.0;
      for (std::size_t s = 0; s < fine.size(); ++s)
        difference = std::max(difference, std::fabs(fine[s] - coarse[s]) / (1.0 + std::fabs(fine[s])));
      coarse = fine;
      if (difference <= kTolerance) break;
    }
    return coarse;
  }

  Reactor integrated(std::size_t i, Reactor at, double flow, double cooling, int substeps) const noexcept {
    const double h = kPeriodHours / substeps;
    const auto ahead = [&at](double time, const Reactor& rate) {
      Reactor moved;
      for (std::size_t s = 0; s < moved.size(); ++s) moved[s] = at[s] + time * rate[s];
      return moved;
    };
    for (int substep = 0; substep < substeps; ++substep) {
      const Reactor k1 = slope(i, at, flow, cooling);
      const Reactor k2 = slope(i, ahead(h / 2, k1), flow, cooling);
      const Reactor k3 = slope(i, ahead(h / 2, k2), flow, cooling);
      const Reactor k4 = slope(i, ahead(h, k3), flow, cooling);
      for (std::size_t s = 0; s < at.size(); ++s) at[s] += h / 6 * (k1[s] + 2 * k2[s] + 2 * k3[s] + k4[s]);
    }
    return at;
  }

  Reactor slope(std::size_t i, const Reactor& at, double flow, double cooling) const noexcept {
    const auto c = [&](std::size_t index) { return parameter(index)[i]; };
    const auto [ca, cb, tr, tk] = at;
    const double kelvin = tr + 273.15;
    const double to_b = c(par::beta) * c(par::k0_ab) * lane_exp(-c(par::e_ab) / kelvin) * ca;
    const double to_c = c(par::k0_bc) * lane_exp(-c(par::e_bc) / kelvin) * cb;
    const double to_d = c(par::k0_ad) * lane_exp(-c(par::alpha) * c(par::e_ad) / kelvin) * ca * ca;
    const double heat = c(par::rho) * c(par::cp);
    const double exchanged = c(par::k_w) * c(par::area) * (tr - tk);
    return {flow * (c(par::ca_0) - ca) - to_b - to_d, -flow * cb + to_b - to_c,
            -(to_b * c(par::h_ab) + to_c * c(par::h_bc) + to_d * c(par::h_ad)) / heat + flow * (c(par::t_in) - tr) -
                exchanged / (heat * c(par::volume)),
            (cooling + exchanged) / (c(par::mass_jacket) * c(par::cp_jacket))};
  }
};

PlantSpec spec() {
  PlantSpec made{
      .name = "dompc-cstr",
      .description = "reactor with a temperature that must not be passed, 4 states (do-mpc; Klatt & Engell)"};
  made.sample_period_s = kPeriodHours * 3600.0;
  // A tenth of an activation energy, or of an absolute temperature, would be another plant.
  made.parameters = {{"alpha", "1", 1.0, "factor on the activation energy of A to D", false},
                     {"beta", "1", 1.0, "factor on the rate of A to B"},
                     {"K0_ab", "1/h", 1.287e12, "rate of A to B, factor"},
                     {"K0_bc", "1/h", 1.287e12, "rate of B to C, factor"},
                     {"K0_ad", "l/mol/h", 9.043e9, "rate of A to D, factor"},
                     {"E_over_R_ab", "K", 9758.3, "activation energy of A to B over the gas constant", false},
                     {"E_over_R_bc", "K", 9758.3, "of B to C", false},
                     {"E_over_R_ad", "K", 8560.0, "of A to D", false},
                     {"H_ab", "kJ/mol", 4.2, "heat of reaction of A to B"},
                     {"H_bc", "kJ/mol", -11.0, "of B to C"},
                     {"H_ad", "kJ/mol", -41.85, "of A to D"},
                     {"rho", "kg/l", 0.9342, "density"},
                     {"Cp", "kJ/kg/K", 3.01, "heat capacity"},
                     {"Cp_k", "kJ/kg/K", 2.0, "heat capacity of the coolant"},
                     {"A_R", "m2", 0.215, "area of the jacket"},
                     {"V_R", "l", 10.01, "volume"},
                     {"m_k", "kg", 5.0, "mass of the coolant"},
                     {"T_in", "degC", 130.0, "feed temperature"},
                     {"K_w", "kJ/h/m2/K", 4032.0, "heat transfer to the jacket"},
                     {"C_A0", "mol/l", 5.1, "feed concentration"},
                     {"limit_temperature", "degC", 140.0, "highest reactor temperature", false},
                     {"tracking_weight", "l/mol", 10.0, "of the absolute error", false},
                     {"limit_weight", "1/K", 10.0, "of each degree beyond the limit", false},
                     {"move_weight", "1", 0.01, "of the squared moves", false}};
  made.states = {{"concentration_a", "mol/l", 0.0, 20.0, "of A, the feed"},
                 {"concentration_b", "mol/l", 0.0, 20.0, "of B, the product"},
                 {"reactor_temperature", "degC", -100.0, 500.0, "in the reactor"},
                 {"jacket_temperature", "degC", -100.0, 500.0, "of the coolant"}};
  made.inputs = {{"feed_flow", "1/h", kFlowLow, kFlowHigh, "reactor volumes an hour"},
                 {"cooling", "kJ/h", kCoolingLow, kCoolingHigh, "heat taken from the jacket, negative"}};
  made.input_start = {kInputStart.begin(), kInputStart.end()};
  made.input_step_max = {0.0, 0.0};
  made.measurements = {{"concentration_a", "mol/l", 0.0, 2.5, "of A, the feed"},
                       {"concentration_b", "mol/l", 0.0, 1.2, "of B, the product"},
                       {"reactor_temperature", "degC", 100.0, 150.0, "in the reactor"},
                       {"jacket_temperature", "degC", 80.0, 150.0, "of the coolant"}};
  made.exogenous = {{"concentration_b_setpoint", "mol/l", 0.4, 0.8, "wanted concentration of B"}};
  made.reward_terms = {{"tracking", "1", -10.0, 0.0, "deviation of B from its set-point"},
                       {"temperature", "1", -100.0, 0.0, "degrees beyond the limit"},
                       {"moves", "1", -0.02, 0.0, "squared input moves"}};
  return made;
}

// The band moves with its parameter.
std::unique_ptr<PlantModel> make(PlantSpec made, std::size_t size) {
  made.limits = {{"reactor_temperature", "degC", 0.0, made.parameters[par::limit].value, "highest temperature"}};
  return std::make_unique<DompcCstr>(std::move(made), size);
}

Task task(const PlantSpec& of, const TaskOptions& options) {
  constexpr std::size_t kSteps = 100;
  Task made{.plant = of.name, .state_start = {kStateStart.begin(), kStateStart.end()}, .input_start = of.input_start};
  made.steps = kSteps;
  auto schedule = std::make_shared<ExogenousSeries>();
  schedule->name = "0.6 mol/l";
  schedule->variables = 1;
  schedule->row_period_s = of.sample_period_s;
  schedule->values.assign(kSteps + 1, 0.6);
  made.schedule = std::move(schedule);
  process_layouts(of, options, made);
  made.measurement_noise = {0.005, 0.005, 0.001, 0.001};
  made.learning_margins = {{"limit_temperature", -1.5}};
  made.history = {2, {0.8}};  // from the past it can be told which reactor this is
  return made;
}

}  // namespace

const PlantEntry kDompcCstr{spec, make, task};

}  // namespace rltune::env
