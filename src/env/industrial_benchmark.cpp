// The Industrial Benchmark of Hein et al. 2017 (arXiv 1709.09480): what makes industrial plants hard, in one made-up
// machine. Velocity, gain and shift are moved by an action in [-1, 1]^3 under a set-point p; fatigue and consumption
// come of them with delays, hidden states and noise that depends on where the machine stands.
//
//   velocity += d0, gain += 10 d1, shift += 5.75 d2, each within 0 to 100; effective shift
//   he = shift/20 - 0.02 p - 1.5 within +-1.5
//   fatigue f = max(0, 30000/(5 v + 100) - 0.01 g^2) (1 + 2 a)/3, where a grows out of two hidden states
//   operating cost exp((2 p + 4 v + 2.5 g)/100), felt 5 to 9 steps late; mis-calibration m(he) of a Goldstone potential
//   consumption c = cost + 25 (1 - m), with noise; reward = -(3 f + c)
//
// The Goldstone potential (section 4 of the paper) is -2 r^2 + r^4 - 8 sqrt(2/27) r sin(phi), normalised so that its
// lowest value is -1; r is stretched so that the minimum lies at max(|sin phi|, sin 15 deg). The angle phi turns by 15
// degrees a step, driven by he: that is the part that has to be guessed from the past.
//
// Where the paper and its reference code differ (the code tests one hidden state and changes the other), this is the
// paper. All noise is drawn from the state `noise`, so that equal states have equal futures.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>

#include "plant_entry.hpp"

namespace rltune::env {
namespace {

namespace par {
enum Index : std::size_t { fatigue_weight, consumption_weight, miscalibration_weight, noise };
}
namespace state {
constexpr std::size_t kBuffer = 10;
enum Index : std::size_t {
  velocity,
  gain,
  shift,
  fatigue,
  consumption,
  hidden_velocity,
  hidden_gain,
  domain,
  response,
  angle,
  buffer,
  noise = buffer + kBuffer,
  count
};
}  // namespace state

constexpr double kNoiseSeeds = 0x1p53;  // whole numbers that a double holds
constexpr double kMovesPerGain = 10.0;
const double kStepMax = std::sin(std::numbers::pi / 12.0);
const double kMovesPerShift = kStepMax / 0.9 * 100.0 / 5.0;
const double kSafeZone = kStepMax / 2.0;
constexpr int kAngles = 24, kQuarter = kAngles / 4;

// Random numbers out of one state variable, which takes up the next seed.
class Noise {
 public:
  explicit Noise(double& seed) noexcept : seed_(seed), bits_(static_cast<std::uint64_t>(seed)) {}
  Noise(const Noise&) = delete;
  Noise& operator=(const Noise&) = delete;
  ~Noise() { seed_ = static_cast<double>(next() >> 11); }

  double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  double exponential(double mean) noexcept { return -mean * std::log1p(-uniform()); }
  double normal() noexcept {
    const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t next() noexcept {
    std::uint64_t z = (bits_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  double& seed_;
  std::uint64_t bits_;
};

double sign(double value) noexcept { return value > 0.0 ? 1.0 : value < 0.0 ? -1.0 : 0.0; }

// The tilted potential along one direction, and the distance of its minimum from the centre.
class Goldstone {
 public:
  explicit Goldstone(double angle) noexcept : sine_(std::sin(angle)) {
    // Roots of the derivative, r^3 - r - tilt = 0: Cardano, or three real ones by the cosine.
    const double tilt = std::sqrt(2.0 / 27.0) * std::fabs(sine_);
    const double inside = tilt * tilt - 1.0 / 27.0;
    if (inside >= 0.0) {
      const double root = std::cbrt(tilt + std::sqrt(inside));
      minimum_ = root + 1.0 / (3.0 * root);
    } else {
      minimum_ = std::sqrt(4.0 / 3.0) * std::cos(std::acos(tilt * std::sqrt(27.0)) / 3.0);
    }
    wanted_ = std::max(std::fabs(sine_), kStepMax);
  }

  double value(double shift) const noexcept {
    const double r = stretched(shift);
    return (r * r * (r * r - 2.0) - 8.0 * std::sqrt(2.0 / 27.0) * sine_ * r) / norm();
  }

 private:
  // The depth of the deepest minimum, that of the full tilt.
  static double norm() noexcept {
    const double root = std::cbrt(1.0 + std::numbers::sqrt2) / std::numbers::sqrt3;
    const double r = root + 1.0 / (3.0 * root);
    return 2.0 * r * r - r * r * r * r + 8.0 * std::sqrt(2.0 / 27.0) * r;
  }
  // Moves the minimum to where it is wanted; 0 and +-2 stay.
  double stretched(double shift) const noexcept {
    const double distance = std::fabs(shift);
    if (distance <= wanted_) return shift * minimum_ / wanted_;
    const double exponent = (2.0 - wanted_) / (2.0 - minimum_);
    const double share = std::pow((distance - wanted_) / (2.0 - wanted_), exponent);
    return sign(shift) * (minimum_ + (2.0 - minimum_) * share);
  }

  double sine_, minimum_ = 0.0, wanted_ = 0.0;
};

const std::array<Goldstone, 2 * kQuarter + 1>& potentials() {
  static const auto all = []<std::size_t... index>(std::index_sequence<index...>) {
    return std::array{Goldstone((static_cast<double>(index) - kQuarter) * 2.0 * std::numbers::pi / kAngles)...};
  }(std::make_index_sequence<2 * kQuarter + 1>());
  return all;
}

class IndustrialBenchmark final : public ModelBase {
 public:
  IndustrialBenchmark(PlantSpec spec, std::size_t size, std::span<const double> state_start)
      : ModelBase(std::move(spec), size, state_start) {}

  void step(std::span<const double> inputs, std::span<const double> exogenous) noexcept override {
    for (std::size_t i = 0; i < size_; ++i) {
      Noise noise(at(state::noise, i));
      const double setpoint = exogenous[i];
      move(state::velocity, i, inputs[i]);
      move(state::gain, i, kMovesPerGain * inputs[size_ + i]);
      move(state::shift, i, kMovesPerShift * inputs[2 * size_ + i]);
      tire(i, setpoint, noise);
      consume(i, setpoint, noise);
    }
  }

  void measure(std::span<double> measurements) const noexcept override {
    std::copy_n(states_.begin(), measurements.size(), measurements.begin());
  }

  void reward(std::span<const double>, std::span<const double>, std::span<const double>, bool,
              std::span<double> terms) const noexcept override {
    for (std::size_t i = 0; i < size_; ++i) {
      terms[i] = -parameter(par::fatigue_weight)[i] * state(state::fatigue)[i];
      terms[size_ + i] = -parameter(par::consumption_weight)[i] * state(state::consumption)[i];
    }
  }

 private:
  double& at(std::size_t index, std::size_t i) noexcept { return states_[index * size_ + i]; }

  void move(std::size_t index, std::size_t i, double by) noexcept {
    at(index, i) = std::clamp(at(index, i) + by, 0.0, 100.0);
  }

  // How much of an action works, 0 to 1 over the machine's range.
  static double effective_velocity(double velocity, double gain, double setpoint) noexcept {
    const auto raw = [&](double v, double g) { return (g + 2.0 + setpoint) / (v + 101.0 - setpoint); };
    return (raw(velocity, gain) - raw(100.0, 0.0)) / (raw(0.0, 100.0) - raw(100.0, 0.0));
  }
  static double effective_gain(double gain, double setpoint) noexcept {
    const auto raw = [&](double g) { return 1.0 / (g + 1.0 + setpoint); };
    return (raw(gain) - raw(100.0)) / (raw(0.0) - raw(100.0));
  }

  // The noise of one channel: small always, large now and then, the more so the more the action works.
  double drawn(std::size_t i, double effective, Noise& noise) const noexcept {
    const double small = 2.0 * (1.0 / (1.0 + std::exp(-noise.exponential(0.1))) - 0.5);
    const double share = noise.uniform();
    const double strikes = noise.uniform() < std::clamp(effective, 0.001, 0.999) ? 1.0 : 0.0;
    return parameter(par::noise)[i] * (small + (1.0 - small) * share * strikes * effective);
  }

  // Below 0.05 it follows the action; above 1.2 it runs away, to 5.
  static double hidden(double value, double effective, double noise) noexcept {
    if (effective <= 0.05) return effective;
    return value >= 1.2 ? std::min(5.0, 1.1 * value) : 0.9 * value + noise / 3.0;
  }

  void tire(std::size_t i, double setpoint, Noise& noise) noexcept {
    const double velocity = at(state::velocity, i), gain = at(state::gain, i);
    const double works_velocity = effective_velocity(velocity, gain, setpoint);
    const double works_gain = effective_gain(gain, setpoint);
    const double by_gain = drawn(i, works_gain, noise), by_velocity = drawn(i, works_velocity, noise);
    at(state::hidden_velocity, i) = hidden(at(state::hidden_velocity, i), works_velocity, by_velocity);
    at(state::hidden_gain, i) = hidden(at(state::hidden_gain, i), works_gain, by_gain);
    const bool ran_away = std::max(at(state::hidden_velocity, i), at(state::hidden_gain, i)) == 5.0;
    const double amplified = 1.0 / (1.0 + std::exp(-(2.4 + 0.4 * noise.normal())));
    const double share = ran_away ? amplified : std::max(by_velocity, by_gain);
    const double basic = std::max(0.0, 30000.0 / (5.0 * velocity + 100.0) - 0.01 * gain * gain);
    at(state::fatigue, i) = basic * (1.0 + 2.0 * share) / 3.0;
  }

  void consume(std::size_t i, double setpoint, Noise& noise) noexcept {
    constexpr std::array kFelt{0.11111, 0.22222, 0.33333, 0.22222, 0.11111};  // 9 to 5 steps ago
    const double now = std::exp((2.0 * setpoint + 4.0 * at(state::velocity, i) + 2.5 * at(state::gain, i)) / 100.0);
    const bool first = at(state::buffer, i) <= 0.0;  // a cost is above 0: the buffer of a new episode is empty
    for (std::size_t k = 0; k + 1 < state::kBuffer; ++k)
      at(state::buffer + k, i) = first ? now : at(state::buffer + k + 1, i);
    at(state::buffer + state::kBuffer - 1, i) = now;
    double cost = 0.0;
    for (std::size_t k = 0; k < kFelt.size(); ++k) cost += kFelt[k] * at(state::buffer + k, i);
    const double shift = std::clamp(at(state::shift, i) / 20.0 - 0.02 * setpoint - 1.5, -1.5, 1.5);
    turn(i, shift);
    const double calibration = -potentials()[static_cast<std::size_t>(at(state::angle, i) + kQuarter)].value(shift);
    const double expected = cost - parameter(par::miscalibration_weight)[i] * (calibration - 1.0);
    at(state::consumption, i) = expected - parameter(par::noise)[i] * noise.normal() * (1.0 + 0.005 * expected);
  }

  // The angle follows the side on which the shift is kept and turns back when it has gone a quarter; near the middle
  // it comes to rest.
  void turn(std::size_t i, double shift) noexcept {
    double& domain = at(state::domain, i);
    double& response = at(state::response, i);
    double& angle = at(state::angle, i);
    const bool resting = std::fabs(shift) <= kSafeZone;
    const double side = resting ? domain : sign(shift);
    if (side != domain) response = 1.0;
    domain = side;
    if (resting)
      angle -= sign(angle);
    else if (angle != -domain * kQuarter)
      angle += response * sign(shift);
    if (std::fabs(angle) >= kQuarter) {
      response = -1.0;
      angle = 2 * kQuarter - std::fmod(angle + kAngles, kAngles);
    }
    if (angle == 0.0 && resting) domain = response = 1.0;
  }
};

constexpr std::array<double, state::count> kStateStart = [] {
  std::array<double, state::count> start{};
  start[state::velocity] = start[state::gain] = start[state::shift] = 50.0;
  start[state::fatigue] = 20.238095238095237;   // of these, without noise
  start[state::consumption] = 95.105412346480;  // of these and p = 50, without noise
  start[state::domain] = start[state::response] = 1.0;
  return start;
}();

PlantSpec spec() {
  PlantSpec made{.name = "industrial-benchmark",
                 .description = "Siemens' Industrial Benchmark: delays, hidden states, noise (Hein et al. 2017)"};
  made.sample_period_s = 60.0;  // the benchmark has no clock: a minute a step
  made.parameters = {{"fatigue_weight", "1", 3.0, "of fatigue in the reward", false},
                     {"consumption_weight", "1", 1.0, "of consumption in the reward", false},
                     {"miscalibration_weight", "1", 25.0, "of a wrong shift in the consumption", false},
                     {"noise", "1", 1.0, "factor on every noise; 0: none", false}};
  made.states = {{"velocity", "1", 0.0, 100.0, "fast, and costly"},
                 {"gain", "1", 0.0, 100.0, "less fatigue, and costly"},
                 {"shift", "1", 0.0, 100.0, "has to fit the hidden angle"},
                 {"fatigue", "1", 0.0, 300.0, "wear"},
                 {"consumption", "1", 0.0, 2000.0, "what running costs"},
                 {"hidden_velocity", "1", 0.0, 5.0, "hidden"},
                 {"hidden_gain", "1", 0.0, 5.0, "hidden"},
                 {"domain", "1", -1.0, 1.0, "hidden: side of the shift"},
                 {"response", "1", -1.0, 1.0, "hidden: which way the angle turns"},
                 {"angle", "15 deg", -6.0, 6.0, "hidden"}};
  for (std::size_t k = 0; k < state::kBuffer; ++k)
    made.states.push_back({"cost_" + std::to_string(state::kBuffer - 1 - k) + "_ago", "1", 0.0, 5000.0, "hidden"});
  made.states.push_back({"noise", "1", 0.0, kNoiseSeeds, "hidden: where its random numbers stand"});
  made.noise_state = state::noise;
  for (const char* name : {"velocity", "gain", "shift"})
    made.inputs.push_back(
        {std::string("change_of_") + name, "1", -1.0, 1.0, std::string("share of the largest change")});
  made.input_start.assign(3, 0.0);
  made.input_step_max.assign(3, 0.0);
  made.measurements = {made.states.begin(), made.states.begin() + 5};
  made.measurements[state::fatigue].high = 100.0;
  made.measurements[state::consumption].high = 400.0;
  made.exogenous = {{"setpoint", "1", 0.0, 100.0, "load: the higher, the harder to run"}};
  made.reward_terms = {{"fatigue", "1", -900.0, 0.0, "3 times the fatigue"},
                       {"consumption", "1", -2000.0, 0.0, "consumption"}};
  return made;
}

std::unique_ptr<PlantModel> make(PlantSpec made, std::size_t size) {
  return std::make_unique<IndustrialBenchmark>(std::move(made), size, kStateStart);
}

Task task(const PlantSpec& of, const TaskOptions& options) {
  constexpr std::size_t kSteps = 1000;
  Task made{.plant = of.name, .state_start = {kStateStart.begin(), kStateStart.end()}, .input_start = of.input_start};
  made.steps = kSteps;
  auto schedule = std::make_shared<ExogenousSeries>();
  schedule->name = "set-point 50";
  schedule->variables = 1;
  schedule->row_period_s = of.sample_period_s;
  schedule->values.assign(kSteps + 1, 50.0);
  made.schedule = std::move(schedule);
  process_layouts(of, options, made);
  made.measurement_noise.assign(of.measurements.size(), 0.0);
  made.history = {8, {0.9}};  // what is hidden shows in what became of the last moves
  return made;
}

}  // namespace

const PlantEntry kIndustrialBenchmark{spec, make, task};

}  // namespace rltune::env
