#include "rltune/library/policy_desk.hpp"

#include <algorithm>

#include "rltune/policy/examination.hpp"

namespace rltune::library {
namespace {

namespace fs = std::filesystem;

// The folders of policies in a folder, by name.
std::vector<fs::path> policies_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code code;
  for (auto entry = fs::directory_iterator(folder, code); !code && entry != fs::directory_iterator();
       entry.increment(code)) {
    std::error_code ignored;
    if (fs::exists(entry->path() / "manifest.yaml", ignored)) found.push_back(entry->path().lexically_normal());
  }
  std::ranges::sort(found);
  return found;
}

void tell_brief(const policy::Artifact& artifact, v1::PolicyInfo& info) {
  const policy::Manifest& manifest = artifact.manifest;
  info.set_sha256(artifact.sha256);
  info.set_name(manifest.name);
  info.set_created(manifest.created);
  info.set_plant(manifest.plant);
  info.set_environment(manifest.environment);
  info.set_algorithm(manifest.algorithm);
  info.set_passed(manifest.validation.passed);
  info.set_seed(manifest.seed);
  info.set_steps(manifest.steps);
}

void tell_spaces(const policy::Manifest& manifest, v1::PolicyAnswer& answer) {
  for (const env::Feature& feature : manifest.observation) {
    v1::PolicyFeature& told = *answer.add_observation();
    told.set_name(feature.variable.name);
    told.set_unit(feature.variable.unit);
    told.set_source(policy::to_string(feature.source));
    told.set_lead(feature.lead);
  }
  for (std::size_t i = 0; i < manifest.action.size(); ++i) {
    const env::Actuation& part = manifest.action[i];
    v1::PolicyOutput& told = *answer.add_action();
    told.set_input(manifest.inputs[i].name);
    told.set_unit(manifest.inputs[i].unit);
    told.set_kind(policy::to_string(part.kind));
    told.set_low(part.low);
    told.set_high(part.high);
    told.set_step_max(part.step_max);
  }
}

void tell_network(const nn::NetworkDescription& network, v1::PolicyAnswer& answer) {
  for (const nn::RecurrentLayer& layer : network.recurrent) {
    v1::PolicyLayer& told = *answer.add_layers();
    told.set_kind(policy::to_string(layer.kind));
    told.set_inputs(layer.inputs);
    told.set_outputs(layer.hidden);
  }
  for (const nn::DenseLayer& layer : network.layers) {
    v1::PolicyLayer& told = *answer.add_layers();
    told.set_kind("dense");
    told.set_activation(policy::to_string(layer.activation));
    told.set_inputs(layer.inputs);
    told.set_outputs(layer.outputs);
  }
}

void tell_whole(const policy::Artifact& artifact, v1::PolicyAnswer& answer) {
  const policy::Manifest& manifest = artifact.manifest;
  answer.set_plant_parameters_sha256(manifest.plant_parameters_sha256);
  answer.mutable_plant_overrides()->insert(manifest.plant_overrides.begin(), manifest.plant_overrides.end());
  answer.set_sample_period_s(manifest.sample_period_s);
  tell_spaces(manifest, answer);
  answer.set_engine(manifest.engine);
  tell_network(artifact.network, answer);
  answer.set_recurrent_state(manifest.recurrent_state);
  answer.set_discrete_actions(manifest.discrete_actions);
  answer.mutable_hyperparameters()->insert(manifest.hyperparameters.begin(), manifest.hyperparameters.end());
  answer.mutable_provenance()->insert(manifest.provenance.begin(), manifest.provenance.end());
  answer.mutable_reasons()->Assign(manifest.validation.reasons.begin(), manifest.validation.reasons.end());
  answer.mutable_figures()->insert(manifest.validation.figures.begin(), manifest.validation.figures.end());
  answer.mutable_files()->insert(manifest.files_sha256.begin(), manifest.files_sha256.end());
}

// An error as who is elsewhere may read it: with no path of the host.
std::string without(const fs::path& folder, const std::string& shown, std::string message) {
  const std::string path = folder.string();
  for (std::size_t at = 0; (at = message.find(path, at)) != std::string::npos; at += shown.size())
    message.replace(at, path.size(), shown);
  return message;
}

}  // namespace

void PolicyDesk::add_to(bus::Server& server) {
  server.handle<v1::PoliciesRequest, v1::PoliciesAnswer>(
      "records.Policies", [this](const bus::Call&, const v1::PoliciesRequest&, v1::PoliciesAnswer& answer) {
        list(answer);
        return Result<>();
      });
  server.handle<v1::PolicyRequest, v1::PolicyAnswer>(
      "records.Policy", [this](const bus::Call&, const v1::PolicyRequest& request, v1::PolicyAnswer& answer) {
        return tell(request, answer);
      });
}

std::vector<PolicyDesk::Place> PolicyDesk::places() const {
  std::vector<Place> places;
  for (const fs::path& folder : policies_in(sources_.policies)) places.push_back({.folder = folder, .agents = {}});
  for (const auto& [agent, policy] : sources_.agents) {
    const fs::path folder = policy.lexically_normal();
    const auto known = std::ranges::find(places, folder, &Place::folder);
    if (known != places.end())
      known->agents.push_back(agent);
    else
      places.push_back({.folder = folder, .agents = {agent}});
  }
  for (const fs::path& folder : policies_in(sources_.deployed))
    places.push_back({.folder = folder, .agents = {}, .deployed = true});
  return places;
}

std::string PolicyDesk::shown(const fs::path& folder) const {
  const fs::path below = folder.lexically_relative(sources_.site);
  return below.empty() || *below.begin() == ".." ? folder.filename().string() : below.generic_string();
}

void PolicyDesk::add(const Place& place, v1::PolicyInfo& info) const {
  if (!place.deployed) info.add_folders(shown(place.folder));
  for (const std::string& agent : place.agents) info.add_agents(agent);
  info.set_deployed(info.deployed() || place.deployed);
}

void PolicyDesk::list(v1::PoliciesAnswer& answer) const {
  const std::vector<Place> all = places();
  const std::size_t read = std::min(all.size(), kPoliciesMax);
  answer.set_left_out(all.size() - read);
  for (const Place& place : std::span(all).first(read)) {
    const auto artifact = policy::load_artifact(place.folder);
    const auto known = std::ranges::find_if(
        answer.policies(), [&](const v1::PolicyInfo& info) { return artifact && info.sha256() == artifact->sha256; });
    const bool first = known == answer.policies().end();
    v1::PolicyInfo& info =
        first ? *answer.add_policies() : *answer.mutable_policies(static_cast<int>(known - answer.policies().begin()));
    if (first && artifact) tell_brief(*artifact, info);
    const Result<> usable = artifact ? policy::check_usable(*artifact) : std::unexpected(artifact.error());
    if (!usable) info.set_trouble(without(place.folder, shown(place.folder), usable.error().message));
    add(place, info);
  }
}

Result<> PolicyDesk::tell(const v1::PolicyRequest& request, v1::PolicyAnswer& answer) const {
  for (const Place& place : places()) {
    const auto artifact = policy::load_artifact(place.folder);
    if (!artifact || artifact->sha256 != request.sha256()) continue;
    if (answer.policy().sha256().empty()) {
      tell_brief(*artifact, *answer.mutable_policy());
      tell_whole(*artifact, answer);
      if (const auto usable = policy::check_usable(*artifact); !usable)
        answer.mutable_policy()->set_trouble(without(place.folder, shown(place.folder), usable.error().message));
    }
    add(place, *answer.mutable_policy());
  }
  if (answer.policy().sha256().empty()) return fail(Errc::not_found, "the site has no policy with that SHA-256");
  return {};
}

}  // namespace rltune::library
