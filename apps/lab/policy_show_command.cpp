// rltune policy show DIR [--json]: what a policy is, after every check that loading it makes.
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "common.hpp"
#include "rltune/policy/examination.hpp"

namespace rltune::lab {
namespace {

using nlohmann::ordered_json;

struct PolicyShowOptions {
  std::string folder;
  bool json = false;
};

using policy::to_string;

ordered_json layers_json(const nn::NetworkDescription& network) {
  ordered_json layers = ordered_json::array();
  for (const nn::DenseLayer& layer : network.layers)
    layers.push_back(
        {{"inputs", layer.inputs}, {"outputs", layer.outputs}, {"activation", to_string(layer.activation)}});
  return layers;
}

ordered_json recurrent_json(const nn::NetworkDescription& network) {
  ordered_json layers = ordered_json::array();
  for (const nn::RecurrentLayer& layer : network.recurrent)
    layers.push_back({{"kind", to_string(layer.kind)}, {"inputs", layer.inputs}, {"hidden", layer.hidden}});
  return layers;
}

ordered_json observation_json(const policy::Manifest& manifest) {
  ordered_json list = ordered_json::array();
  for (const env::Feature& feature : manifest.observation)
    list.push_back({{"name", feature.variable.name},
                    {"unit", feature.variable.unit},
                    {"source", to_string(feature.source)},
                    {"lead", feature.lead}});
  return list;
}

ordered_json action_json(const policy::Manifest& manifest) {
  ordered_json list = ordered_json::array();
  for (std::size_t i = 0; i < manifest.action.size(); ++i) {
    const env::Actuation& part = manifest.action[i];
    list.push_back({{"input", manifest.inputs[i].name},
                    {"unit", manifest.inputs[i].unit},
                    {"kind", to_string(part.kind)},
                    {"low", part.low},
                    {"high", part.high},
                    {"step_max", part.step_max}});
  }
  return list;
}

ordered_json described(const policy::Artifact& artifact) {
  const policy::Manifest& manifest = artifact.manifest;
  return {{"name", manifest.name},
          {"sha256", artifact.sha256},
          {"created", manifest.created},
          {"plant", manifest.plant},
          {"environment", manifest.environment},
          {"plant_parameters_sha256", manifest.plant_parameters_sha256},
          {"plant_overrides", manifest.plant_overrides},
          {"sample_period_s", manifest.sample_period_s},
          {"observation", observation_json(manifest)},
          {"action", action_json(manifest)},
          {"engine", manifest.engine},
          {"recurrent", recurrent_json(artifact.network)},
          {"recurrent_state", manifest.recurrent_state},
          {"layers", layers_json(artifact.network)},
          {"discrete_actions", manifest.discrete_actions},
          {"algorithm", manifest.algorithm},
          {"seed", manifest.seed},
          {"steps", manifest.steps},
          {"hyperparameters", manifest.hyperparameters},
          {"provenance", manifest.provenance},
          {"validation",
           {{"passed", manifest.validation.passed},
            {"reasons", manifest.validation.reasons},
            {"figures", manifest.validation.figures}}},
          {"files", manifest.files_sha256}};
}

void print_text(const policy::Artifact& artifact) {
  const policy::Manifest& manifest = artifact.manifest;
  if (manifest.environment.empty())
    std::println("{}: {} for {}, every {:.6g} s", manifest.name, manifest.algorithm, manifest.plant,
                 manifest.sample_period_s);
  else
    std::println("{}: {} for the environment {}", manifest.name, manifest.algorithm, manifest.environment);
  std::println("sha256 {}", artifact.sha256);
  std::println("made {}, seed {}, {} steps", manifest.created, manifest.seed, manifest.steps);
  std::println("\nsees");
  for (const env::Feature& feature : manifest.observation)
    std::println("  {:<28} {:<10} {}{}", feature.variable.name, feature.variable.unit, to_string(feature.source),
                 feature.lead > 0 ? std::format(", {} ahead", feature.lead) : "");
  std::println("\nsets");
  for (std::size_t i = 0; i < manifest.action.size(); ++i) {
    const env::Actuation& part = manifest.action[i];
    std::println(
        "  {:<28} {:<10} {:.6g} .. {:.6g}{}", manifest.inputs[i].name, manifest.inputs[i].unit, part.low, part.high,
        part.kind == env::Actuation::Kind::increment ? std::format(", at most {:.6g} a step", part.step_max) : "");
  }
  std::print("\nnetwork {}", manifest.observation.size());
  if (!manifest.engine.empty()) std::print(" -> {} by {}", manifest.action.size(), manifest.engine);
  for (const nn::RecurrentLayer& layer : artifact.network.recurrent)
    std::print(" -> {} {}", layer.hidden, to_string(layer.kind));
  for (const nn::DenseLayer& layer : artifact.network.layers)
    std::print(" -> {} {}", layer.outputs, to_string(layer.activation));
  if (manifest.discrete_actions > 0) std::print(" -> one of {} actions", manifest.discrete_actions);
  if (manifest.recurrent_state > 0)
    std::print("\nremembers {} numbers from decision to decision", manifest.recurrent_state);
  std::println("\n\nvalidation {}", manifest.validation.passed ? "PASSED" : "FAILED: mode 'automatic' refuses it");
  for (const std::string& reason : manifest.validation.reasons) std::println("  {}", reason);
  for (const auto& [name, value] : manifest.validation.figures) std::println("  {:<40} {:.6g}", name, value);
  for (const auto& [name, value] : manifest.provenance) std::println("{}: {}", name, value);
}

void show(const PolicyShowOptions& options) {
  if (!std::filesystem::is_directory(options.folder))
    stop(kWrongUsage, std::format("{}: no such folder", options.folder));
  const auto artifact = policy::load_artifact(options.folder);
  if (!artifact) stop(kFailed, artifact.error().message);
  const Result<> usable = policy::check_usable(*artifact);
  if (!usable) stop(kFailed, usable.error().message);
  if (options.json)
    print_json(described(*artifact));
  else
    print_text(*artifact);
}

}  // namespace

void add_policy_show_command(CLI::App& policy) {
  const auto options = std::make_shared<PolicyShowOptions>();
  CLI::App& command = *policy.add_subcommand("show", "What a policy is and how it was validated; checks every file");
  command.add_option("folder", options->folder, "Folder of the policy")->required();
  command.add_flag("--json", options->json, "One JSON object on stdout");
  command.footer(
      "Exit status 1 when a file is damaged, missing or does not fit the others.\n\nExample:\n  rltune policy show "
      "policies/lettuce --json");
  command.callback([options] { show(*options); });
}

}  // namespace rltune::lab
