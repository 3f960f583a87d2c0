// Messages about the policies that the site has.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/api/field.hpp"
#include "rltune/base/time.hpp"

namespace rltune::api {

struct PolicyBrief {
  static constexpr std::string_view kSchema = "Policy";
  std::optional<std::string> sha256, trouble;
  std::string name, plant, environment, algorithm;
  std::optional<TimePoint> created;
  bool passed = false, deployed = false;
  std::uint64_t seed = 0, steps = 0;
  std::vector<std::string> folders, agents;
};
template <typename Visitor>
void describe(Visitor& v, PolicyBrief& policy) {
  v.field("sha256", policy.sha256,
          {.note = "of its network, as decisions name it; missing: it cannot be read, `trouble` says why"});
  v.field("trouble", policy.trouble, {.note = "why it cannot be used; missing: it can", .length_max = 4'096});
  v.field("name", policy.name, {.note = "as its manifest has it"});
  v.field("plant", policy.plant, {.note = "the model whose names it uses"});
  v.field("environment", policy.environment, {.note = "where it was trained without a plant; else empty"});
  v.field("algorithm", policy.algorithm, {.note = "by which it was trained"});
  v.field("created", policy.created, {.note = "when it was trained"});
  v.field("passed", policy.passed, {.note = "its validation: automatic mode refuses one that did not"});
  v.field("deployed", policy.deployed, {.note = "a version of an agent has it"});
  v.field("seed", policy.seed, {.note = "of its training"});
  v.field("steps", policy.steps, {.note = "of its training"});
  v.field("folders", policy.folders, {.note = "where it lies, below the site's: `artifact` of a version to deploy"});
  v.field("agents", policy.agents, {.note = "whose policy it is by site.yaml"});
}

struct PolicyList {
  static constexpr std::string_view kSchema = "PolicyList";
  std::vector<PolicyBrief> policies;
  std::uint64_t left_out = 0;
};
template <typename Visitor>
void describe(Visitor& v, PolicyList& list) {
  v.field("policies", list.policies, {.note = "those of the folder policies first, by the names of their folders"});
  v.field("left_out", list.left_out, {.note = "folders beyond the first 500, which were not read"});
}

struct PolicyFeature {
  static constexpr std::string_view kSchema = "PolicyFeature";
  std::string name, unit, source;
  std::uint64_t lead = 0;
};
template <typename Visitor>
void describe(Visitor& v, PolicyFeature& feature) {
  v.field("name", feature.name, {.note = "in the plant model's words"});
  v.field("unit", feature.unit, {.note = "engineer's"});
  v.field("source", feature.source, {.note = "measurement, input, exogenous, forecast or progress"});
  v.field("lead", feature.lead, {.note = "of a forecast: steps ahead"});
}

struct PolicyOutput {
  static constexpr std::string_view kSchema = "PolicyOutput";
  std::string input, unit, kind;
  double low = 0.0, high = 0.0, step_max = 0.0;
};
template <typename Visitor>
void describe(Visitor& v, PolicyOutput& output) {
  v.field("input", output.input, {.note = "of the plant, which it sets"});
  v.field("unit", output.unit, {.note = "engineer's"});
  v.field("kind", output.kind, {.note = "absolute: the value; increment: its change"});
  v.field("low", output.low, {.note = "the least that it sets"});
  v.field("high", output.high, {.note = "the most"});
  v.field("step_max", output.step_max, {.note = "of an increment: the largest change a decision"});
}

struct PolicyLayer {
  static constexpr std::string_view kSchema = "PolicyLayer";
  std::string kind, activation;
  std::uint64_t inputs = 0, outputs = 0;
};
template <typename Visitor>
void describe(Visitor& v, PolicyLayer& layer) {
  v.field("kind", layer.kind, {.note = "gru, lstm or dense"});
  v.field("activation", layer.activation, {.note = "of a dense one"});
  v.field("inputs", layer.inputs, {.note = "numbers in"});
  v.field("outputs", layer.outputs, {.note = "numbers out"});
}

struct PolicyValidation {
  static constexpr std::string_view kSchema = "PolicyValidation";
  bool passed = false;
  std::vector<std::string> reasons;
  std::map<std::string, double> figures;
};
template <typename Visitor>
void describe(Visitor& v, PolicyValidation& validation) {
  v.field("passed", validation.passed, {.note = "automatic mode refuses a policy that did not"});
  v.field("reasons", validation.reasons, {.note = "why not, or what was shown"});
  v.field("figures", validation.figures, {.note = "finite ones: gains, violations"});
}

struct PolicyWhole {
  static constexpr std::string_view kSchema = "PolicyWhole";
  PolicyBrief policy;
  std::string plant_parameters_sha256, engine;
  double sample_period_s = 0.0;
  std::uint64_t recurrent_state = 0, discrete_actions = 0;
  std::map<std::string, double> plant_overrides;
  std::vector<PolicyFeature> observation;
  std::vector<PolicyOutput> action;
  std::vector<PolicyLayer> layers;
  std::map<std::string, std::string> hyperparameters, provenance, files;
  PolicyValidation validation;
};
template <typename Visitor>
void describe(Visitor& v, PolicyWhole& whole) {
  v.field("policy", whole.policy, {.note = "as the list has it"});
  v.field("sample_period_s", whole.sample_period_s, {.note = "between two decisions"});
  v.field("plant_parameters_sha256", whole.plant_parameters_sha256, {.note = "of the model that it was trained on"});
  v.field("plant_overrides", whole.plant_overrides, {.note = "that model's parameters, where they were changed"});
  v.field("observation", whole.observation, {.note = "what it sees, in order"});
  v.field("action", whole.action, {.note = "what it sets, in order"});
  v.field("engine", whole.engine, {.note = "onnxruntime; empty: ours"});
  v.field("layers", whole.layers, {.note = "of the network, in order; none of another engine's"});
  v.field("recurrent_state", whole.recurrent_state, {.note = "numbers that it remembers from decision to decision"});
  v.field("discrete_actions", whole.discrete_actions, {.note = "that it chooses among; 0: its actions are numbers"});
  v.field("hyperparameters", whole.hyperparameters, {.note = "of its training"});
  v.field("provenance", whole.provenance, {.note = "weather, revision, machine", .length_max = 1'000});
  v.field("validation", whole.validation, {.note = "the verdict at the end of its training"});
  v.field("files", whole.files, {.note = "of the artifact, with their SHA-256"});
}

}  // namespace rltune::api
