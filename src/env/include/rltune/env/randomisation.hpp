// Domain randomisation: how the plant that a policy meets differs from the plant on paper, and from episode to
// episode. Written as YAML (schema rltune/randomisation/v1, docs/plants.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"
#include "rltune/env/plants.hpp"

namespace rltune::env {

struct Distribution {
  enum class Kind : std::uint8_t { uniform, normal, either };
  Kind kind = Kind::uniform;
  double first = 0.0;   // low, or mean; of either the one value
  double second = 0.0;  // high, or standard deviation; of either the other
};

struct SensorNoise {
  double absolute = 0.0;  // standard deviation, the measurement's unit
  double relative = 0.0;  // standard deviation as a share of the value
};

// A sensor that falls silent: its last value stands.
struct Dropout {
  double probability = 0.0;                // that one begins, each step
  std::array<std::size_t, 2> steps{1, 1};  // shortest and longest
};

// Ramps, one after the other. At the variable's bounds they turn round.
struct Drift {
  std::array<std::size_t, 2> steps{1, 1};  // shortest and longest ramp
  Distribution slope;                      // the variable's unit a step
  double flat = 0.0;                       // probability of a ramp without slope
};

struct ExogenousShift {
  Distribution factor{Distribution::Kind::uniform, 1.0, 1.0};
  Distribution offset{Distribution::Kind::uniform, 0.0, 0.0};
  std::optional<Drift> drift;  // added to the offset, step by step; a forecast knows what stands, not what comes
};

// Days of the year between which an episode may start, both included; the first may be the later one (winter).
struct StartWindow {
  std::array<unsigned, 2> from{1, 1};  // month, day
  std::array<unsigned, 2> to{12, 31};
};

struct Randomisation {
  std::optional<Distribution> all_parameters;      // factor on each uncertain parameter, drawn apart, once an episode
  std::map<std::string, Distribution> parameters;  // factor on this one, instead; once an episode
  double parameter_noise = 0.0;  // delta: each uncertain parameter times 1 + U(-delta/2, delta/2), every step
  std::array<std::size_t, 2> action_delay_steps{0, 0};
  std::map<std::string, SensorNoise> sensor_noise;  // by measurement
  std::map<std::string, Dropout> sensor_dropouts;   // by measurement
  std::map<std::string, ExogenousShift> exogenous;  // once an episode
  std::optional<StartWindow> start_dates;
};

// Names and values fit the plant. Errors list the valid names.
Result<> check_randomisation(const Randomisation& randomisation, const PlantSpec& plant);

// Strict: an unknown field is an error. Errors name file, line and field. A `plant` in the document must be this one.
Result<Randomisation> load_randomisation(const std::filesystem::path& path, const PlantSpec& plant);
Result<Randomisation> parse_randomisation(std::string_view yaml, const std::string& name, const PlantSpec& plant);

// The noise that the task is published with.
Randomisation published_noise(const PlantSpec& plant, const Task& task);

}  // namespace rltune::env
