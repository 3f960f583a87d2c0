#include "rltune/controllers/registry.hpp"

#include <array>
#include <cmath>
#include <format>

#include "kinds.hpp"

namespace rltune::controllers {
namespace {

// Two entries may share a name where two families of plants need two forms; at most one of them fits a plant.
const std::array<KindEntry, 9>& entries() {
  static const std::array<KindEntry, 9> all{
      off_kind(),           hold_kind(),           schedule_kind(),     grower_kind(), greenhouse_rule_kind(),
      tracking_rule_kind(), greenhouse_pid_kind(), tracking_pid_kind(), mpc_kind()};
  return all;
}

std::string names_for(const env::PlantSpec& plant) {
  std::string names;
  for (const KindEntry& entry : entries())
    if (entry.fits(plant)) names += (names.empty() ? "" : ", ") + std::string(entry.name);
  return names;
}

Result<ParameterValues> complete(const KindEntry& entry, const env::PlantSpec& plant, const ParameterValues& given) {
  ParameterValues values;
  std::string names;
  for (const ControllerParameter& parameter : entry.parameters(plant)) {
    values[parameter.name] = parameter.value;
    names += (names.empty() ? "" : ", ") + parameter.name;
  }
  for (const auto& [name, value] : given) {
    const auto place = values.find(name);
    if (place == values.end())
      return fail(Errc::invalid_argument, std::format("controller '{}' of plant '{}' has no parameter '{}'; it has: {}",
                                                      entry.name, plant.name, name, names.empty() ? "none" : names));
    if (!std::isfinite(value))
      return fail(Errc::invalid_argument,
                  std::format("controller '{}': parameter '{}' must be a finite number", entry.name, name));
    place->second = value;
  }
  return values;
}

}  // namespace

std::vector<ControllerKind> controller_kinds(const env::PlantSpec& plant) {
  std::vector<ControllerKind> kinds;
  for (const KindEntry& entry : entries())
    if (entry.fits(plant)) kinds.push_back({entry.name, entry.description, entry.tunable, entry.parameters(plant)});
  return kinds;
}

Result<std::unique_ptr<Controller>> make_controller(std::string_view name, const env::PlantSpec& plant,
                                                    const ParameterValues& parameters) {
  for (const KindEntry& entry : entries()) {
    if (entry.name != name || !entry.fits(plant)) continue;
    auto values = complete(entry, plant, parameters);
    if (!values) return std::unexpected(values.error());
    return entry.make(plant, *values);
  }
  return fail(Errc::not_found,
              std::format("unknown controller '{}' for plant '{}'; it has: {}", name, plant.name, names_for(plant)));
}

}  // namespace rltune::controllers
