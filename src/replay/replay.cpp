#include "rltune/replay/replay.hpp"

#include <bit>
#include <format>
#include <optional>

namespace rltune::replay {
namespace {

bool same_bits(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }
bool same_bits(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }

// What the agent proposes when the policy wants this.
double proposal_of(const historian::DecisionOutput& output, double wanted) {
  return output.explored == 0.0 ? wanted : wanted + output.explored;
}

void compare_network(const historian::Decision& decision, std::span<const float> computed, ReplayResult& result) {
  for (std::size_t i = 0; i < computed.size(); ++i)
    if (!same_bits(decision.network_output[i], computed[i]))
      result.differences.push_back({std::format("network_output[{}]", i),
                                    static_cast<double>(decision.network_output[i]), static_cast<double>(computed[i])});
}

// A site may call the policy's inputs by other names. Tags that carry a name of the policy's are compared with that
// one; what is left over must be the same set of values.
void compare_proposals(const historian::Decision& decision, const policy::Manifest& manifest,
                       std::span<const double> computed, ReplayResult& result) {
  std::vector<bool> taken(computed.size(), false);
  std::vector<const historian::DecisionOutput*> left;
  for (const historian::DecisionOutput& output : decision.outputs) {
    if (!output.present) continue;
    const auto named = std::ranges::find(manifest.inputs, output.tag, &env::Variable::name);
    if (named == manifest.inputs.end()) {
      left.push_back(&output);
      continue;
    }
    const auto index = static_cast<std::size_t>(named - manifest.inputs.begin());
    taken[index] = true;
    const double wanted = proposal_of(output, computed[index]);
    if (!same_bits(output.proposed, wanted))
      result.differences.push_back({"proposed " + output.tag, output.proposed, wanted});
  }
  for (const historian::DecisionOutput* output : left) {
    std::optional<std::size_t> free, equal;
    for (std::size_t i = 0; i < computed.size(); ++i) {
      if (taken[i]) continue;
      if (!free) free = i;
      if (!equal && same_bits(output->proposed, proposal_of(*output, computed[i]))) equal = i;
    }
    if (equal)
      taken[*equal] = true;
    else
      result.differences.push_back(
          {"proposed " + output->tag, output->proposed,
           free ? proposal_of(*output, computed[*free]) : std::numeric_limits<double>::quiet_NaN()});
  }
}

}  // namespace

std::string_view to_string(ReplayOutcome outcome) {
  switch (outcome) {
    case ReplayOutcome::same:
      return "same";
    case ReplayOutcome::different:
      return "different";
    case ReplayOutcome::not_policy:
      return "not_policy";
    case ReplayOutcome::held:
      return "held";
    case ReplayOutcome::unknown:
      return "unknown";
  }
  return "";
}

std::string digits(double value) { return std::format("{:.17g}", value); }

ReplayResult replay(const historian::Decision& decision, PolicyShelf& shelf) {
  ReplayResult result;
  if (decision.origin != "policy") return {ReplayOutcome::not_policy, {}, {}};
  if (decision.observation.empty()) return {ReplayOutcome::held, {}, {}};
  const auto found = shelf.find(decision.policy_sha256);
  if (!found) return {ReplayOutcome::unknown, found.error().message, {}};
  policy::PolicyController& controller = *(*found)->controller;
  const policy::Manifest& manifest = *(*found)->manifest;
  if (decision.observation.size() != manifest.observation.size() ||
      decision.previous_inputs.size() != manifest.action.size() ||
      decision.network_output.size() != manifest.action.size() ||
      decision.recurrent_state.size() != controller.recurrent_state().size())
    return {ReplayOutcome::different, "the record's shape is not the policy's", {}};

  std::vector<double> inputs(decision.previous_inputs);
  const controllers::Outcome outcome =
      controller.infer(decision.observation, decision.recurrent_state, decision.previous_inputs, inputs);
  compare_network(decision, controller.network_output(), result);
  // A fault proposes nothing: the guard held, whatever the record says beside it.
  if (outcome == controllers::Outcome::ok) compare_proposals(decision, manifest, inputs, result);
  if (!result.differences.empty()) result.outcome = ReplayOutcome::different;
  return result;
}

}  // namespace rltune::replay
