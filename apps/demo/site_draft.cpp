#include "site_draft.hpp"

#include <algorithm>
#include <format>
#include <nlohmann/json.hpp>

#include "rltune/base/clock.hpp"
#include "rltune/base/file.hpp"
#include "rltune/controllers/controller_file.hpp"
#include "rltune/env/plants.hpp"
#include "rltune/plant/opcua_pki.hpp"

namespace rltune::demo {
namespace {

using nlohmann::json;

// What a tag of the twin is to the site, by the folder that the twin shows it in.
const char* role_of(const std::string& folder, const std::string& name) {
  if (folder == "SetPoints") return "setpoint";
  if (folder == "Weather") return "exogenous";
  if (name == "forecast_issued") return "exogenous";
  if (folder == "Forecast") return "forecast";
  if (name == "guard_alive" || name == "agent_alive") return "heartbeat";
  if (name == "clock_step" || name == "clock_advance") return "clock";
  if (name.ends_with("_mode")) return "mode";
  return "measurement";
}

bool wanted(const std::string& folder, const std::string& name) {
  if (folder == "Actuators") return false;
  if (folder == "Season") return name == "season_done";
  if (folder == "Control") return name != "shed" && name != "local_control";
  return true;
}

std::string tag_text(const json& tag, const env::PlantSpec& plant, std::size_t leads) {
  const std::string name = tag["name"], folder = tag["folder"];
  const std::string role = role_of(folder, name);
  std::string text =
      std::format("  - name: {}\n    node: {}\n    role: {}\n", name, tag["node"].get<std::string>(), role);
  if (tag.contains("unit") && !tag["unit"].get<std::string>().empty())
    text += std::format("    unit: '{}'\n", tag["unit"].get<std::string>());
  const bool ranged = role == "setpoint" || folder == "Sensors" || folder == "Weather";
  if (ranged && tag.contains("range"))
    text += std::format("    operating: {{low: {}, high: {}}}\n", tag["range"][0].get<double>(),
                        tag["range"][1].get<double>());
  const auto limit = std::ranges::find(plant.limits, name, &env::Variable::name);
  if (folder == "Sensors" && limit != plant.limits.end())
    text += std::format("    expected: {{low: {}, high: {}}}\n", limit->low, limit->high);
  if (role == "forecast")
    text += std::format("    elements: {}\n    forecasts: {}\n    issued: forecast_issued\n", leads,
                        name.substr(0, name.rfind("_forecast")));
  return text;
}

std::string link_text(const json& ready) {
  return std::format(
      "link:\n  url: {}\n  security: Basic256Sha256\n  server_application_uri: {}\n  pki: pki\n  user: {}\n  "
      "password_file: {}\n"
      "  inactivity_timeout_s: 2\n  reconnect_max_s: 0.5\n",
      ready["url"].get<std::string>(), ready["application_uri"].get<std::string>(), ready["user"].get<std::string>(),
      ready["password_file"].get<std::string>());
}

std::string agent_text(const SeasonOptions& options, const env::PlantSpec& plant,
                       const controllers::ControllerFile& rule) {
  std::string outputs, parameters;
  for (const env::Variable& input : plant.inputs) outputs += (outputs.empty() ? "" : ", ") + input.name;
  for (const auto& [name, value] : rule.parameters)
    parameters += std::format("{}{}: {}", parameters.empty() ? "" : ", ", name, value);
  return std::format(
      "agents:\n  - id: climate\n    policy: {}\n    plant: {}\n    period_s: {}\n    outputs: [{}]\n    fallback: {}\n"
      "    fallback_parameters: {{{}}}\n    hold_s: 0\n    season_days: {}\n    season_start: {}\n",
      options.policy.string(), plant.name, plant.sample_period_s, outputs, rule.controller, parameters, options.days,
      options.start);
}

std::string guard_text(const env::PlantSpec& plant) {
  std::string text = "guard:\n  mode: automatic\n  outputs:\n";
  for (std::size_t i = 0; i < plant.inputs.size(); ++i) {
    const env::Variable& input = plant.inputs[i];
    text += std::format(
        "    - tag: {}\n      limits: {{low: {}, high: {}}}\n      step_max: {}\n      safe_value: {}\n      mode_tag: "
        "{}_mode\n"
        "      mode_remote: [1]\n",
        input.name, input.low, input.high, plant.input_step_max[i], input.low, input.name);
  }
  return text +
         "  interlocks:\n    - name: crop_heat\n      require: air_temperature < 40\n      outputs: [heating]\n"
         "    - name: co2_high\n      require: co2 < 2400\n      outputs: [co2_supply]\n"
         "  guard_alive: guard_alive\n  agent_alive: agent_alive\n  heartbeat_s: 0.5\n";
}

}  // namespace

Result<std::filesystem::path> make_site_identity(const std::filesystem::path& folder) {
  const auto pki = plant::OpcuaPki::open(folder / "pki");
  if (!pki) return std::unexpected(pki.error());
  if (auto made = pki->identity({}, WallClock().now()); !made) return std::unexpected(made.error());
  return folder / "pki/own/cert.der";
}

Result<std::filesystem::path> write_site(const SeasonOptions& options, const json& ready, std::uint16_t port) {
  const auto pki = plant::OpcuaPki::open(options.folder / "pki");
  if (!pki) return std::unexpected(pki.error());
  if (auto done = pki->trust(ready["certificate"].get<std::string>()); !done) return std::unexpected(done.error());
  const auto rule = controllers::load_controller_file(options.rule);
  if (!rule) return std::unexpected(rule.error());
  const auto model = env::make_plant(ready["plant"].get<std::string>(), 1);
  if (!model) return std::unexpected(model.error());
  const env::PlantSpec& plant = (*model)->spec();

  std::string text =
      "# Written by rltune demo.\nschema: rltune/site/v2\nname: demo\nclock: plant\n"
      "plant_clock: {step: clock_step, advance: clock_advance}\n";
  text += link_text(ready) + "tags:\n";
  for (const json& tag : ready["tags"])
    if (wanted(tag["folder"], tag["name"])) text += tag_text(tag, plant, options.forecast_leads);
  text += agent_text(options, plant, *rule) + guard_text(plant);
  // The whole season stays readable at full resolution.
  text +=
      std::format("storage: {{folder: data, raw_days: {}, minute_days: 1, five_minute_days: 1}}\n", options.days + 30);
  // Many looks a second, as of a room full of people.
  text += std::format("gateway: {{enabled: true, port: {}, calls_per_s: 1000, calls_burst: 1000}}\n", port);
  if (auto done = write_file(options.folder / "users.yaml", FrontDoor::users_text()); !done)
    return std::unexpected(done.error());
  std::filesystem::path file = options.folder / "site.yaml";
  if (auto done = write_file(file, text); !done) return std::unexpected(done.error());
  return file;
}

}  // namespace rltune::demo
