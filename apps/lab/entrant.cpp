#include "entrant.hpp"

#include <filesystem>
#include <format>

#include "common.hpp"
#include "rltune/base/log.hpp"
#include "rltune/controllers/controller_file.hpp"
#include "rltune/env/plants.hpp"
#include "rltune/policy/policy_controller.hpp"

namespace rltune::lab {
namespace {

Entrant from_policy(const std::string& folder, const env::PlantSpec& plant) {
  const policy::Artifact artifact = or_stop(policy::load_artifact(folder));
  if (artifact.manifest.plant != plant.name)
    stop(kFailed,
         std::format("the policy {} is for the plant '{}', not for '{}'", folder, artifact.manifest.plant, plant.name));
  if (artifact.manifest.plant_parameters_sha256 != env::parameters_sha256(plant))
    log::warning("the policy was trained on a plant with other parameters", {{"policy", folder}});
  Entrant entrant{.name = folder,
                  .kind = "policy",
                  .policy_sha256 = artifact.sha256,
                  .forecast_leads = artifact.manifest.forecast_leads};
  entrant.make = [artifact] { return policy::make_policy_controller(artifact); };
  return entrant;
}

Entrant classical(const std::string& name, const std::string& kind, controllers::ParameterValues values,
                  const env::PlantSpec& plant) {
  const auto made = or_stop(controllers::make_controller(kind, plant, values));
  Entrant entrant{.name = name, .kind = kind, .parameters = values, .forecast_leads = made->forecast_leads()};
  entrant.make = [kind, plant, values] { return controllers::make_controller(kind, plant, values); };
  return entrant;
}

}  // namespace

Entrant find_entrant(const std::string& text, const std::vector<std::string>& settings, const env::PlantSpec& plant) {
  const controllers::ParameterValues given = parse_settings(settings);
  if (std::filesystem::is_directory(text)) {
    if (!given.empty()) stop(kWrongUsage, "a policy has no parameters to set; --param is for classical controllers");
    return from_policy(text, plant);
  }
  if (text.ends_with(".yaml") || text.ends_with(".yml")) {
    controllers::ControllerFile file = or_stop(controllers::load_controller_file(text));
    if (file.plant != plant.name)
      stop(kFailed, std::format("{} is for the plant '{}', not for '{}'", text, file.plant, plant.name));
    for (const auto& [name, value] : given) file.parameters[name] = value;
    return classical(text, file.controller, file.parameters, plant);
  }
  auto known = controllers::make_controller(text, plant, given);
  if (!known && known.error().code == Errc::not_found)
    stop(kWrongUsage, known.error().message + "; or the folder of a policy, or the YAML file of a tuned controller");
  return classical(text, text, given, plant);
}

}  // namespace rltune::lab
