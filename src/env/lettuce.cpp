// The lettuce greenhouse of van Henten 2003 (Biosystems Engineering 85(3) 355-364), with the season, limits and
// prices of van Laatum et al. 2026 (Control Engineering Practice 169:106787).
//
//   closure  = 1 - exp(-c_pld X_d)
//   q        = (-c_co2_1 X_T^2 + c_co2_2 X_T - c_co2_3) (X_c - c_Gamma)
//   phi      = closure c_radphot V_rad q / (c_radphot V_rad + q)
//   resp     = 2^(0.1 X_T - 2.5)
//   h_sat    = c_v1/(c_R (X_T + c_Tabs)) exp(c_v2 X_T/(X_T + c_v3))
//   dX_d/dt  = c_ab phi - c_respd X_d resp
//   dX_c/dt  = [ -phi + c_respc X_d resp + U_c - (U_v + c_leak)(X_c - V_c) ] / c_capc
//   dX_T/dt  = [ U_q - (c_capqv U_v + c_aiou)(X_T - V_T) + c_radq V_rad ] / c_capq
//   dX_h/dt  = [ closure c_vplai (h_sat - X_h) - (U_v + c_leak)(X_h - V_h) ] / c_caph
//
// RK4, four substeps of 450 s with constant inputs and weather, then the states are clamped to their bounds.
// Instances are integrated in blocks of lanes so that the compiler's vectors stay full.
#include <algorithm>
#include <array>
#include <cstring>

#include "lane_math.hpp"
#include "plant_entry.hpp"

namespace rltune::env {
namespace {

enum State : std::size_t { kDry, kCo2, kTemperature, kVapour, kStates };
enum Input : std::size_t { kCo2Supply, kVentilation, kHeating, kInputs };
enum Exogenous : std::size_t { kRadiation, kOutdoorCo2, kOutdoorTemperature, kOutdoorHumidity, kExogenous };
enum Coefficient : std::size_t {
  kAb,
  kRespd,
  kRespc,
  kPld,
  kRadphot,
  kCo2One,
  kCo2Two,
  kCo2Three,
  kGamma,
  kCapc,
  kCaph,
  kCapq,
  kCapqv,
  kAiou,
  kRadq,
  kLeak,
  kVplai,
  kVOne,
  kVTwo,
  kVThree,
  kR,
  kTabs,
  kCoefficients
};
enum Price : std::size_t {
  kCropPrice = kCoefficients,
  kHeatingPrice,
  kCo2Price,
  kCo2Low,
  kCo2High,
  kTemperatureLow,
  kTemperatureHigh,
  kHumidityHigh,
  kCo2Penalty,
  kColdPenalty,
  kHeatPenalty,
  kHumidityPenalty
};

constexpr double kPeriod = 1800.0;
constexpr int kSubsteps = 4;
constexpr std::size_t kLanes = 8;
constexpr double kGas = 8.3144598, kPressure = 101325.0, kMolarCo2 = 0.04401, kMolarWater = 0.01801528,
                 kKelvin = 273.15;
constexpr std::array<double, kStates> kStateLow{0.002, 0.0, 5.0, 0.0};
constexpr std::array<double, kStates> kStateHigh{0.6, 0.004, 40.0, 0.051};
constexpr std::array<double, kStates> kStateStart{0.0035, 0.001, 15.0, 0.008};

using Lanes = std::array<double, kLanes>;
template <std::size_t N>
using Block = std::array<Lanes, N>;

double saturation_pa(double celsius) noexcept { return 610.78 * lane_exp(17.2694 * celsius / (celsius + 238.3)); }
double ppm_per_density(double celsius) noexcept { return 1e6 * kGas * (celsius + kKelvin) / (kPressure * kMolarCo2); }
double percent_per_density(double celsius) noexcept {
  return 100.0 * kGas * (celsius + kKelvin) / (kMolarWater * saturation_pa(celsius));
}

// dx at x; u and v in SI.
inline void derivative(const Block<kStates>& x, const Block<kInputs>& u, const Block<kExogenous>& v,
                       const Block<kCoefficients>& c, Block<kStates>& dx) noexcept {
  for (std::size_t i = 0; i < kLanes; ++i) {
    const double dry = x[kDry][i], co2 = x[kCo2][i], t = x[kTemperature][i], vapour = x[kVapour][i];
    const double closure = 1.0 - lane_exp(-c[kPld][i] * dry);
    const double uptake = (-c[kCo2One][i] * t * t + c[kCo2Two][i] * t - c[kCo2Three][i]) * (co2 - c[kGamma][i]);
    const double light = c[kRadphot][i] * v[kRadiation][i];
    const double phi = closure * light * uptake / (light + uptake);
    const double respiration = dry * lane_exp2(0.1 * t - 2.5);
    const double saturated =
        c[kVOne][i] / (c[kR][i] * (t + c[kTabs][i])) * lane_exp(c[kVTwo][i] * t / (t + c[kVThree][i]));
    const double exchange = u[kVentilation][i] + c[kLeak][i];
    dx[kDry][i] = c[kAb][i] * phi - c[kRespd][i] * respiration;
    dx[kCo2][i] =
        (-phi + c[kRespc][i] * respiration + u[kCo2Supply][i] - exchange * (co2 - v[kOutdoorCo2][i])) / c[kCapc][i];
    dx[kTemperature][i] =
        (u[kHeating][i] - (c[kCapqv][i] * u[kVentilation][i] + c[kAiou][i]) * (t - v[kOutdoorTemperature][i]) +
         c[kRadq][i] * v[kRadiation][i]) /
        c[kCapq][i];
    dx[kVapour][i] =
        (closure * c[kVplai][i] * (saturated - vapour) - exchange * (vapour - v[kOutdoorHumidity][i])) / c[kCaph][i];
  }
}

inline Block<kStates> advanced(const Block<kStates>& x, double h, const Block<kStates>& slope) noexcept {
  Block<kStates> result;
  for (std::size_t s = 0; s < kStates; ++s)
    for (std::size_t i = 0; i < kLanes; ++i) result[s][i] = x[s][i] + h * slope[s][i];
  return result;
}

void integrate(Block<kStates>& x, const Block<kInputs>& u, const Block<kExogenous>& v,
               const Block<kCoefficients>& c) noexcept {
  constexpr double h = kPeriod / kSubsteps;
  Block<kStates> k1, k2, k3, k4;
  for (int substep = 0; substep < kSubsteps; ++substep) {
    derivative(x, u, v, c, k1);
    derivative(advanced(x, h / 2, k1), u, v, c, k2);
    derivative(advanced(x, h / 2, k2), u, v, c, k3);
    derivative(advanced(x, h, k3), u, v, c, k4);
    for (std::size_t s = 0; s < kStates; ++s)
      for (std::size_t i = 0; i < kLanes; ++i) x[s][i] += h / 6 * (k1[s][i] + 2 * k2[s][i] + 2 * k3[s][i] + k4[s][i]);
  }
  for (std::size_t s = 0; s < kStates; ++s)
    for (std::size_t i = 0; i < kLanes; ++i) x[s][i] = lane_clamp(x[s][i], kStateLow[s], kStateHigh[s]);
}

// Rows of a structure of arrays, `count` lanes from `first`; missing lanes repeat the last one.
template <std::size_t N>
void gather(std::span<const double> source, std::size_t size, std::size_t first, std::size_t count,
            Block<N>& block) noexcept {
  for (std::size_t row = 0; row < N; ++row) {
    const double* values = source.data() + row * size + first;
    std::memcpy(block[row].data(), values, count * sizeof(double));
    for (std::size_t i = count; i < kLanes; ++i) block[row][i] = values[count - 1];
  }
}

void to_si(Block<kInputs>& u, Block<kExogenous>& v) noexcept {
  for (std::size_t i = 0; i < kLanes; ++i) {
    u[kCo2Supply][i] *= 1e-6;
    u[kVentilation][i] *= 1e-3;
    const double t = v[kOutdoorTemperature][i];
    v[kRadiation][i] = v[kRadiation][i] < 1e-6 ? 0.0 : v[kRadiation][i];
    v[kOutdoorCo2][i] /= ppm_per_density(t);
    v[kOutdoorHumidity][i] /= percent_per_density(t);
  }
}

class Lettuce final : public ModelBase {
 public:
  Lettuce(PlantSpec spec, std::size_t size)
      : ModelBase(std::move(spec), size, kStateStart), dry_before_(size, kStateStart[kDry]) {}

  void step(std::span<const double> inputs, std::span<const double> exogenous) noexcept override {
    std::copy_n(states_.begin(), size_, dry_before_.begin());
    alignas(64) Block<kStates> x;
    alignas(64) Block<kInputs> u;
    alignas(64) Block<kExogenous> v;
    alignas(64) Block<kCoefficients> c;
    for (std::size_t first = 0; first < size_; first += kLanes) {
      const std::size_t count = std::min(kLanes, size_ - first);
      gather(states_, size_, first, count, x);
      gather(inputs, size_, first, count, u);
      gather(exogenous, size_, first, count, v);
      gather(parameters_, size_, first, count, c);
      to_si(u, v);
      integrate(x, u, v, c);
      for (std::size_t s = 0; s < kStates; ++s)
        std::memcpy(states_.data() + s * size_ + first, x[s].data(), count * sizeof(double));
    }
  }

  void measure(std::span<double> measurements) const noexcept override {
    double* out = measurements.data();
    for (std::size_t i = 0; i < size_; ++i) {
      const double t = state(kTemperature)[i];
      out[i] = state(kDry)[i];
      out[size_ + i] = state(kCo2)[i] * ppm_per_density(t);
      out[2 * size_ + i] = t;
      const double humidity = state(kVapour)[i] * percent_per_density(t);
      out[3 * size_ + i] = humidity > 100.0 ? 100.0 : humidity;
    }
  }

  void reward(std::span<const double> inputs, std::span<const double>, std::span<const double>, bool,
              std::span<double> terms) const noexcept override {
    const auto price = [&](std::size_t index, std::size_t i) { return parameter(index)[i]; };
    const auto above = [](double excess) { return excess > 0.0 ? excess : 0.0; };
    for (std::size_t i = 0; i < size_; ++i) {
      const double t = state(kTemperature)[i];
      const double ppm = state(kCo2)[i] * ppm_per_density(t);
      const double saturated = state(kVapour)[i] * percent_per_density(t);
      const double humidity = saturated > 100.0 ? 100.0 : saturated;
      double* term = terms.data() + i;
      term[0] = price(kCropPrice, i) * (state(kDry)[i] - dry_before_[i]);
      term[size_] = -price(kHeatingPrice, i) * inputs[kHeating * size_ + i] * kPeriod / 3.6e6;
      term[2 * size_] = -price(kCo2Price, i) * inputs[kCo2Supply * size_ + i] * 1e-6 * kPeriod;
      term[3 * size_] = -price(kCo2Penalty, i) * (above(price(kCo2Low, i) - ppm) + above(ppm - price(kCo2High, i)));
      term[4 * size_] = -price(kColdPenalty, i) * above(price(kTemperatureLow, i) - t) -
                        price(kHeatPenalty, i) * above(t - price(kTemperatureHigh, i));
      term[5 * size_] = -price(kHumidityPenalty, i) * above(humidity - price(kHumidityHigh, i));
    }
  }

 private:
  std::vector<double> dry_before_;
};

std::vector<Parameter> parameters() {
  return {
      {"c_ab", "1", 0.544, "yield factor of gross photosynthesis"},
      {"c_respd", "1/s", 2.65e-7, "respiration rate, as dry weight"},
      {"c_respc", "1/s", 4.87e-7, "respiration rate, as CO2"},
      {"c_pld", "m2/kg", 53.0, "effective canopy surface"},
      {"c_radphot", "kg/J", 3.55e-9, "light use efficiency"},
      {"c_co2_1", "m/s/degC2", 5.11e-6, "CO2 uptake, quadratic in temperature"},
      {"c_co2_2", "m/s/degC", 2.3e-4, "CO2 uptake, linear in temperature"},
      {"c_co2_3", "m/s", 6.29e-4, "CO2 uptake, constant"},
      {"c_Gamma", "kg/m3", 5.2e-5, "CO2 compensation point"},
      {"c_capc", "m", 4.1, "volume of air per area, for CO2"},
      {"c_caph", "m", 4.1, "volume of air per area, for vapour"},
      {"c_capq", "J/m2/degC", 3e4, "heat capacity of the air"},
      {"c_capqv", "J/m3/degC", 1290.0, "heat capacity of ventilated air"},
      {"c_aiou", "W/m2/degC", 6.1, "heat loss through the cover"},
      {"c_radq", "1", 0.2, "share of radiation that heats the air"},
      {"c_leak", "m/s", 0.75e-5, "leakage through the cover (van Henten 2003: 0.75e-4)"},
      {"c_vplai", "m/s", 3.6e-3, "canopy transpiration, mass transfer"},
      {"c_v1", "J/m3", 9348.0, "saturation vapour pressure, factor"},
      {"c_v2", "1", 17.4, "saturation vapour pressure, exponent"},
      {"c_v3", "degC", 239.0, "saturation vapour pressure, offset"},
      {"c_R", "J/K/kmol", 8314.0, "gas constant"},
      {"c_Tabs", "K", 273.15, "0 degC"},
      {"price_crop", "EUR/kg", 22.285125, "value of dry weight", false},
      {"price_heating", "EUR/kWh", 0.1281, "price of heat", false},
      {"price_co2", "EUR/kg", 0.1906, "price of CO2", false},
      {"limit_co2_low", "ppm", 500.0, "CO2 band, lower limit", false},
      {"limit_co2_high", "ppm", 1600.0, "CO2 band, upper limit", false},
      {"limit_temperature_low", "degC", 10.0, "temperature band, lower limit", false},
      {"limit_temperature_high", "degC", 20.0, "temperature band, upper limit", false},
      {"limit_humidity_high", "%", 80.0, "humidity, upper limit", false},
      {"penalty_co2", "EUR/m2/ppm", 5e-5, "per step and ppm outside the band", false},
      {"penalty_cold", "EUR/m2/degC", 3e-3, "per step and degC below the band", false},
      {"penalty_heat", "EUR/m2/degC", 5e-3, "per step and degC above the band", false},
      {"penalty_humidity", "EUR/m2/%", 7e-4, "per step and % above the limit", false},
  };
}

PlantSpec spec() {
  PlantSpec made{.name = "lettuce",
                 .description = "lettuce greenhouse, 4 states (van Henten 2003), season of van Laatum et al. 2026"};
  made.sample_period_s = kPeriod;
  made.parameters = parameters();
  made.states = {
      {"dry_weight", "kg/m2", kStateLow[kDry], kStateHigh[kDry], "structural dry weight of the crop"},
      {"co2_density", "kg/m3", kStateLow[kCo2], kStateHigh[kCo2], "indoor CO2"},
      {"air_temperature", "degC", kStateLow[kTemperature], kStateHigh[kTemperature], "indoor air temperature"},
      {"vapour_density", "kg/m3", kStateLow[kVapour], kStateHigh[kVapour], "indoor absolute humidity"}};
  made.inputs = {{"co2_supply", "mg/m2/s", 0.0, 1.2, "CO2 dosing"},
                 {"ventilation", "mm/s", 0.0, 7.5, "ventilation through the windows"},
                 {"heating", "W/m2", 0.0, 150.0, "heat from the pipes"}};
  made.input_start = {0.0, 0.0, 50.0};
  made.input_step_max = {0.12, 0.75, 15.0};
  made.measurements = {{"dry_weight", "kg/m2", 0.0, 0.6, "dry weight of the crop"},
                       {"co2", "ppm", 0.0, 2500.0, "indoor CO2"},
                       {"air_temperature", "degC", 0.0, 45.0, "indoor air temperature"},
                       {"relative_humidity", "%", 0.0, 100.0, "indoor relative humidity"}};
  made.exogenous = {{"global_radiation", "W/m2", 0.0, 1200.0, "outdoor global radiation"},
                    {"outdoor_co2", "ppm", 300.0, 700.0, "outdoor CO2"},
                    {"outdoor_temperature", "degC", -20.0, 40.0, "outdoor air temperature"},
                    {"outdoor_humidity", "%", 0.0, 100.0, "outdoor relative humidity"}};
  made.reward_terms = {{"crop_value", "EUR/m2", 0.0, 0.1, "value of the growth"},
                       {"heating_cost", "EUR/m2", -0.01, 0.0, "heat bought"},
                       {"co2_cost", "EUR/m2", -0.001, 0.0, "CO2 bought"},
                       {"co2_penalty", "EUR/m2", -0.1, 0.0, "CO2 out of its band"},
                       {"temperature_penalty", "EUR/m2", -0.1, 0.0, "temperature out of its band"},
                       {"humidity_penalty", "EUR/m2", -0.02, 0.0, "humidity above its limit"}};
  return made;
}

// The bands follow the parameters, so that --set limit_temperature_low=12 moves both penalty and report.
std::unique_ptr<PlantModel> make(PlantSpec made, std::size_t size) {
  const auto value = [&](std::size_t index) { return made.parameters[index].value; };
  made.limits = {{"co2", "ppm", value(kCo2Low), value(kCo2High), "CO2 band"},
                 {"air_temperature", "degC", value(kTemperatureLow), value(kTemperatureHigh), "temperature band"},
                 {"relative_humidity", "%", 0.0, value(kHumidityHigh), "humidity limit"}};
  return std::make_unique<Lettuce>(std::move(made), size);
}

// Normalising ranges of what a policy sees: what a season visits, not what a sensor could show.
Space narrowed(Space space, std::span<const std::array<double, 2>> ranges) {
  for (std::size_t i = 0; i < space.size(); ++i) space[i].low = ranges[i][0], space[i].high = ranges[i][1];
  return space;
}

// Observation as published: outputs, previous inputs, progress, weather now; then the forecast.
Task task(const PlantSpec& of, const TaskOptions& options) {
  constexpr std::array<std::array<double, 2>, 4> kSeen{{{0.0, 0.3}, {300.0, 1700.0}, {5.0, 30.0}, {30.0, 100.0}}};
  constexpr std::array<std::array<double, 2>, 4> kWeather{{{0.0, 900.0}, {350.0, 550.0}, {-5.0, 25.0}, {40.0, 100.0}}};
  Task made{.plant = of.name, .state_start = {kStateStart.begin(), kStateStart.end()}, .input_start = of.input_start};
  made.steps = 1920;
  made.ends = true;
  made.forecast_leads = options.forecast_leads;
  const Space weather = narrowed(of.exogenous, kWeather);
  append(made.observation, Feature::Source::measurement, narrowed(of.measurements, kSeen));
  append(made.observation, Feature::Source::input, of.inputs);
  made.observation.push_back(
      {Feature::Source::progress, 0, 0, {"progress", "1", 0.0, 1.0, "share of the season that is over"}});
  append(made.observation, Feature::Source::exogenous, weather);
  for (std::size_t lead = 1; lead <= options.forecast_leads; ++lead)
    append(made.observation, Feature::Source::forecast, weather, lead);
  for (std::size_t i = 0; i < of.inputs.size(); ++i)
    made.action.push_back({Actuation::Kind::increment, of.inputs[i].low, of.inputs[i].high, of.input_step_max[i]});
  made.measurement_noise.assign(of.measurements.size(), 0.0);
  return made;
}

}  // namespace

const PlantEntry kLettuce{spec, make, task};

}  // namespace rltune::env
