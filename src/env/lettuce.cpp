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
#include <limits>

#include "lane_math.hpp"
#include "plant_entry.hpp"

namespace rltune::env {
namespace {

namespace state {
enum Index : std::size_t { dry, co2, temperature, vapour, count };
}
namespace input {
enum Index : std::size_t { co2_supply, ventilation, heating, count };
}
namespace outdoor {
enum Index : std::size_t { radiation, co2, temperature, humidity, count };
}
// The coefficients of the equations come first, in `par`'s order; prices and limits follow.
namespace par {
enum Index : std::size_t {
  c_ab,
  c_respd,
  c_respc,
  c_pld,
  c_radphot,
  c_co2_1,
  c_co2_2,
  c_co2_3,
  c_gamma,
  c_capc,
  c_caph,
  c_capq,
  c_capqv,
  c_aiou,
  c_radq,
  c_leak,
  c_vplai,
  c_v1,
  c_v2,
  c_v3,
  c_r,
  c_tabs,
  coefficients,
  price_crop = coefficients,
  price_heating,
  price_co2,
  limit_co2_low,
  limit_co2_high,
  limit_temperature_low,
  limit_temperature_high,
  limit_humidity_high,
  penalty_co2,
  penalty_cold,
  penalty_heat,
  penalty_humidity
};
}

constexpr double kPeriod = 1800.0;
constexpr int kSubsteps = 4;
constexpr double kNotZero = std::numeric_limits<double>::min();  // lost in any sum but that of two zeros
constexpr std::size_t kLanes = 8;
constexpr double kGas = 8.3144598, kPressure = 101325.0, kMolarCo2 = 0.04401, kMolarWater = 0.01801528,
                 kKelvin = 273.15;
constexpr std::array<double, state::count> kStateLow{0.002, 0.0, 5.0, 0.0};
constexpr std::array<double, state::count> kStateHigh{0.6, 0.004, 40.0, 0.051};
constexpr std::array<double, state::count> kStateStart{0.0035, 0.001, 15.0, 0.008};

using Lanes = std::array<double, kLanes>;
template <std::size_t N>
using Block = std::array<Lanes, N>;

double saturation_pa(double celsius) noexcept { return 610.78 * lane_exp(17.2694 * celsius / (celsius + 238.3)); }
double ppm_per_density(double celsius) noexcept { return 1e6 * kGas * (celsius + kKelvin) / (kPressure * kMolarCo2); }
double percent_per_density(double celsius) noexcept {
  return 100.0 * kGas * (celsius + kKelvin) / (kMolarWater * saturation_pa(celsius));
}

// dx at x; u and v in SI.
inline void derivative(const Block<state::count>& x, const Block<input::count>& u, const Block<outdoor::count>& v,
                       const Block<par::coefficients>& c, Block<state::count>& dx) noexcept {
  for (std::size_t i = 0; i < kLanes; ++i) {
    const double dry = x[state::dry][i], co2 = x[state::co2][i], t = x[state::temperature][i],
                 vapour = x[state::vapour][i];
    const double closure = 1.0 - lane_exp(-c[par::c_pld][i] * dry);
    const double published =
        (-c[par::c_co2_1][i] * t * t + c[par::c_co2_2][i] * t - c[par::c_co2_3][i]) * (co2 - c[par::c_gamma][i]);
    const double light = c[par::c_radphot][i] * v[outdoor::radiation][i];
    // Below 3 degC, above 42 and below the compensation point the published uptake turns negative, and phi has a pole
    // where it equals the light: a crop that doubles in a step. A search finds such places. Half way there it stops.
    const double uptake = published < -0.5 * light ? -0.5 * light : published;
    const double phi = closure * light * uptake / (light + uptake + kNotZero);
    const double respiration = dry * lane_exp2(0.1 * t - 2.5);
    const double saturated = c[par::c_v1][i] / (c[par::c_r][i] * (t + c[par::c_tabs][i])) *
                             lane_exp(c[par::c_v2][i] * t / (t + c[par::c_v3][i]));
    const double exchange = u[input::ventilation][i] + c[par::c_leak][i];
    dx[state::dry][i] = c[par::c_ab][i] * phi - c[par::c_respd][i] * respiration;
    dx[state::co2][i] =
        (-phi + c[par::c_respc][i] * respiration + u[input::co2_supply][i] - exchange * (co2 - v[outdoor::co2][i])) /
        c[par::c_capc][i];
    dx[state::temperature][i] =
        (u[input::heating][i] -
         (c[par::c_capqv][i] * u[input::ventilation][i] + c[par::c_aiou][i]) * (t - v[outdoor::temperature][i]) +
         c[par::c_radq][i] * v[outdoor::radiation][i]) /
        c[par::c_capq][i];
    dx[state::vapour][i] =
        (closure * c[par::c_vplai][i] * (saturated - vapour) - exchange * (vapour - v[outdoor::humidity][i])) /
        c[par::c_caph][i];
  }
}

inline Block<state::count> advanced(const Block<state::count>& x, double h, const Block<state::count>& slope) noexcept {
  Block<state::count> result;
  for (std::size_t s = 0; s < state::count; ++s)
    for (std::size_t i = 0; i < kLanes; ++i) result[s][i] = x[s][i] + h * slope[s][i];
  return result;
}

void integrate(Block<state::count>& x, const Block<input::count>& u, const Block<outdoor::count>& v,
               const Block<par::coefficients>& c) noexcept {
  const double h = kPeriod / kSubsteps;
  Block<state::count> k1, k2, k3, k4;
  for (int substep = 0; substep < kSubsteps; ++substep) {
    derivative(x, u, v, c, k1);
    derivative(advanced(x, h / 2, k1), u, v, c, k2);
    derivative(advanced(x, h / 2, k2), u, v, c, k3);
    derivative(advanced(x, h, k3), u, v, c, k4);
    for (std::size_t s = 0; s < state::count; ++s)
      for (std::size_t i = 0; i < kLanes; ++i) x[s][i] += h / 6 * (k1[s][i] + 2 * k2[s][i] + 2 * k3[s][i] + k4[s][i]);
  }
  for (std::size_t s = 0; s < state::count; ++s)
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

void to_si(Block<input::count>& u, Block<outdoor::count>& v) noexcept {
  for (std::size_t i = 0; i < kLanes; ++i) {
    u[input::co2_supply][i] *= 1e-6;
    u[input::ventilation][i] *= 1e-3;
    const double t = v[outdoor::temperature][i];
    v[outdoor::radiation][i] = v[outdoor::radiation][i] < 1e-6 ? 0.0 : v[outdoor::radiation][i];
    v[outdoor::co2][i] /= ppm_per_density(t);
    v[outdoor::humidity][i] /= percent_per_density(t);
  }
}

class Lettuce final : public ModelBase {
 public:
  Lettuce(PlantSpec spec, std::size_t size)
      : ModelBase(std::move(spec), size, kStateStart), dry_before_(size, kStateStart[state::dry]) {}

  void step(std::span<const double> inputs, std::span<const double> exogenous) noexcept override {
    std::copy_n(states_.begin(), size_, dry_before_.begin());
    alignas(64) Block<state::count> x;
    alignas(64) Block<input::count> u;
    alignas(64) Block<outdoor::count> v;
    alignas(64) Block<par::coefficients> c;
    for (std::size_t first = 0; first < size_; first += kLanes) {
      const std::size_t count = std::min(kLanes, size_ - first);
      gather(states_, size_, first, count, x);
      gather(inputs, size_, first, count, u);
      gather(exogenous, size_, first, count, v);
      gather(parameters_, size_, first, count, c);
      to_si(u, v);
      integrate(x, u, v, c);
      for (std::size_t s = 0; s < state::count; ++s)
        std::memcpy(states_.data() + s * size_ + first, x[s].data(), count * sizeof(double));
    }
  }

  void measure(std::span<double> measurements) const noexcept override {
    double* out = measurements.data();
    for (std::size_t i = 0; i < size_; ++i) {
      const double t = state(state::temperature)[i];
      out[i] = state(state::dry)[i];
      out[size_ + i] = state(state::co2)[i] * ppm_per_density(t);
      out[2 * size_ + i] = t;
      const double humidity = state(state::vapour)[i] * percent_per_density(t);
      out[3 * size_ + i] = humidity > 100.0 ? 100.0 : humidity;
    }
  }

  void reward(std::span<const double> inputs, std::span<const double>, std::span<const double>, bool,
              std::span<double> terms) const noexcept override {
    const auto price = [&](std::size_t index, std::size_t i) { return parameter(index)[i]; };
    const auto above = [](double excess) { return excess > 0.0 ? excess : 0.0; };
    for (std::size_t i = 0; i < size_; ++i) {
      const double t = state(state::temperature)[i];
      const double ppm = state(state::co2)[i] * ppm_per_density(t);
      const double saturated = state(state::vapour)[i] * percent_per_density(t);
      const double humidity = saturated > 100.0 ? 100.0 : saturated;
      double* term = terms.data() + i;
      term[0] = price(par::price_crop, i) * (state(state::dry)[i] - dry_before_[i]);
      term[size_] = -price(par::price_heating, i) * inputs[input::heating * size_ + i] * kPeriod / 3.6e6;
      term[2 * size_] = -price(par::price_co2, i) * inputs[input::co2_supply * size_ + i] * 1e-6 * kPeriod;
      term[3 * size_] = -price(par::penalty_co2, i) *
                        (above(price(par::limit_co2_low, i) - ppm) + above(ppm - price(par::limit_co2_high, i)));
      term[4 * size_] = -price(par::penalty_cold, i) * above(price(par::limit_temperature_low, i) - t) -
                        price(par::penalty_heat, i) * above(t - price(par::limit_temperature_high, i));
      term[5 * size_] = -price(par::penalty_humidity, i) * above(humidity - price(par::limit_humidity_high, i));
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
      {"dry_weight", "kg/m2", kStateLow[state::dry], kStateHigh[state::dry], "structural dry weight of the crop"},
      {"co2_density", "kg/m3", kStateLow[state::co2], kStateHigh[state::co2], "indoor CO2"},
      {"air_temperature", "degC", kStateLow[state::temperature], kStateHigh[state::temperature],
       "indoor air temperature"},
      {"vapour_density", "kg/m3", kStateLow[state::vapour], kStateHigh[state::vapour], "indoor absolute humidity"}};
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
  made.limits = {{"co2", "ppm", value(par::limit_co2_low), value(par::limit_co2_high), "CO2 band"},
                 {"air_temperature", "degC", value(par::limit_temperature_low), value(par::limit_temperature_high),
                  "temperature band"},
                 {"relative_humidity", "%", 0.0, value(par::limit_humidity_high), "humidity limit"}};
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
  // Who is taught the very limits runs along them, and is beyond them whenever the weather surprises.
  made.learning_margins = {
      {"limit_temperature_low", 1.5}, {"limit_temperature_high", -1.5}, {"limit_humidity_high", -2.0}};
  return made;
}

}  // namespace

const PlantEntry kLettuce{spec, make, task};

}  // namespace rltune::env
