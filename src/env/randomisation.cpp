#include "rltune/env/randomisation.hpp"

#include <algorithm>
#include <cmath>
#include <format>

namespace rltune::env {
namespace {

template <typename Named>
Result<> check_name(const std::vector<Named>& known, const std::string& name, std::string_view kind) {
  if (std::ranges::find(known, name, &Named::name) != known.end()) return {};
  std::string names;
  for (const Named& one : known) names += (names.empty() ? "" : ", ") + one.name;
  return fail(Errc::not_found, std::format("unknown {} '{}'; there are: {}", kind, name, names));
}

bool ordered(const Distribution& distribution) {
  const bool finite = std::isfinite(distribution.first) && std::isfinite(distribution.second);
  const bool normal = distribution.kind == Distribution::Kind::normal;
  return finite && (normal ? distribution.second >= 0.0 : distribution.first <= distribution.second);
}

// A factor that could reach 0 or change a sign would not be the plant any more.
Result<> check_factor(const Distribution& distribution, std::string_view name) {
  const bool normal = distribution.kind == Distribution::Kind::normal;
  const double least = normal ? distribution.first - 3.0 * distribution.second : distribution.first;
  if (ordered(distribution) && least > 0.0) return {};
  return fail(
      Errc::invalid_argument,
      std::format("{}: factors must stay above 0: uniform or either [low, high] with 0 < low <= high, or normal "
                  "[mean, deviation] with mean > 3 deviations",
                  name));
}

Result<> check_drift(const Drift& drift, const std::string& name) {
  if (drift.steps[0] < 1 || drift.steps[0] > drift.steps[1])
    return fail(Errc::invalid_argument, std::format("{}.steps must be [shortest, longest], 1 or more", name));
  if (!ordered(drift.slope)) return fail(Errc::invalid_argument, std::format("{}.slope must be [low, high]", name));
  if (!(drift.flat >= 0.0 && drift.flat <= 1.0))
    return fail(Errc::invalid_argument, std::format("{}.flat: the probability must lie in [0, 1]", name));
  return {};
}

Result<> check_sensors(const Randomisation& randomisation, const PlantSpec& plant) {
  for (const auto& [name, noise] : randomisation.sensor_noise) {
    if (auto done = check_name(plant.measurements, name, "measurement"); !done) return done;
    if (!(noise.absolute >= 0.0) || !(noise.relative >= 0.0))
      return fail(Errc::invalid_argument, std::format("sensor_noise.{}: deviations must be 0 or more", name));
  }
  for (const auto& [name, dropout] : randomisation.sensor_dropouts) {
    if (auto done = check_name(plant.measurements, name, "measurement"); !done) return done;
    if (!(dropout.probability >= 0.0 && dropout.probability <= 1.0))
      return fail(Errc::invalid_argument, std::format("sensor_dropouts.{}: the probability must lie in [0, 1]", name));
    if (dropout.steps[0] < 1 || dropout.steps[0] > dropout.steps[1])
      return fail(Errc::invalid_argument,
                  std::format("sensor_dropouts.{}: steps must be [shortest, longest], 1 or more", name));
  }
  return {};
}

}  // namespace

Result<> check_randomisation(const Randomisation& randomisation, const PlantSpec& plant) {
  if (randomisation.all_parameters)
    if (auto done = check_factor(*randomisation.all_parameters, "parameters.all"); !done) return done;
  for (const auto& [name, factor] : randomisation.parameters) {
    if (auto done = check_name(plant.parameters, name, "parameter"); !done) return done;
    if (auto done = check_factor(factor, "parameters." + name); !done) return done;
  }
  if (!(randomisation.parameter_noise >= 0.0 && randomisation.parameter_noise < 2.0))
    return fail(Errc::invalid_argument, "parameter_noise must lie in [0, 2)");
  const auto [shortest, longest] = randomisation.action_delay_steps;
  if (shortest > longest || longest > 1000)
    return fail(Errc::invalid_argument, "action_delay_steps must be [shortest, longest], at most 1000");
  if (auto done = check_sensors(randomisation, plant); !done) return done;
  for (const auto& [name, shift] : randomisation.exogenous) {
    if (auto done = check_name(plant.exogenous, name, "exogenous variable"); !done) return done;
    if (auto done = check_factor(shift.factor, "exogenous." + name + ".factor"); !done) return done;
    if (!ordered(shift.offset))
      return fail(Errc::invalid_argument, std::format("exogenous.{}.offset must be [low, high]", name));
    if (!shift.drift) continue;
    if (auto done = check_drift(*shift.drift, "exogenous." + name + ".drift"); !done) return done;
  }
  return {};
}

Randomisation published_noise(const PlantSpec& plant, const Task& task) {
  Randomisation made;
  for (std::size_t m = 0; m < plant.measurements.size(); ++m)
    if (task.measurement_noise[m] > 0.0)
      made.sensor_noise[plant.measurements[m].name] = {0.0, task.measurement_noise[m]};
  return made;
}

}  // namespace rltune::env
