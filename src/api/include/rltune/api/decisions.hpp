// Messages about what was decided: by whom, what was seen, proposed, ruled and applied.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/api/field.hpp"
#include "rltune/api/history.hpp"
#include "rltune/base/time.hpp"

namespace rltune::api {

struct DecisionsQuery {
  std::optional<std::string> agent;
  PageQuery page;
};
template <typename Visitor>
void describe(Visitor& v, DecisionsQuery& query) {
  v.field("agent", query.agent, {.note = "of this agent alone", .length_max = 200});
  describe_page(v, query.page);
}

struct DecidedOutput {
  static constexpr std::string_view kSchema = "DecidedOutput";
  std::string tag, action;
  std::optional<double> proposed, applied, explored;
  std::vector<std::string> reasons;
  bool written = false, verified = false;
};
template <typename Visitor>
void describe(Visitor& v, DecidedOutput& output) {
  v.field("tag", output.tag, {.note = "the set-point"});
  v.field("proposed", output.proposed, {.note = "missing: nothing, or nothing finite"});
  v.field("action", output.action, {.note = "of the guard: accepted, clamped, held, fallback or withheld"});
  v.field("reasons", output.reasons, {.note = "why: limit_high, rate, interlock ..."});
  v.field("applied", output.applied, {.note = "read back from the plant, or its value where nothing was written"});
  v.field("written", output.written, {.note = "the plant took it"});
  v.field("verified", output.verified, {.note = "and it was read back"});
  v.field("explored", output.explored, {.note = "the part of what was proposed that is exploration"});
}

// What a list has of each.
struct DecisionInfo {
  static constexpr std::string_view kSchema = "Decision";
  std::string id, agent, mode, origin, user, reason, policy_sha256, correlation_id;
  TimePoint time{}, wall_time{};
  bool learnable = false;
  std::vector<DecidedOutput> outputs;
};
template <typename Visitor>
void describe(Visitor& v, DecisionInfo& decision) {
  v.field("id", decision.id, {.note = "a UUID that grows with time"});
  v.field("time", decision.time, {.note = "by the site's clock"});
  v.field("wall_time", decision.wall_time, {.note = "by the host's"});
  v.field("agent", decision.agent, {.note = "for which it was made; empty: for none"});
  v.field("mode", decision.mode, {.note = "manual, shadow, advisory or automatic"});
  v.field("origin", decision.origin, {.note = "policy, fallback, interlock, manual or shadow"});
  v.field("user", decision.user, {.note = "who, where a person did"});
  v.field("reason", decision.reason, {.note = "in that person's words"});
  v.field("policy_sha256", decision.policy_sha256, {.note = "of the weights that acted; empty: none did"});
  v.field("correlation_id", decision.correlation_id, {.note = "by which the log has more of it"});
  v.field("learnable", decision.learnable, {.note = "applied by the loop and by nobody else"});
  v.field("outputs", decision.outputs, {.note = "every one that it concerned"});
}

struct DecisionList {
  static constexpr std::string_view kSchema = "DecisionList";
  std::vector<DecisionInfo> decisions;
  std::optional<std::string> next;
};
template <typename Visitor>
void describe(Visitor& v, DecisionList& list) {
  v.field("decisions", list.decisions, {.note = "ascending by time", .length_max = kPageMax});
  v.field("next", list.next, {.note = "the cursor of what follows; missing: nothing does"});
}

// All that is on record. Lists hold null for what is not a finite number.
struct DecisionWhole {
  static constexpr std::string_view kSchema = "DecisionWhole";
  DecisionInfo decision;
  std::vector<std::optional<double>> observation, previous_inputs, network_output, recurrent_state;
  std::map<std::string, double> seen, timings_us;
};
template <typename Visitor>
void describe(Visitor& v, DecisionWhole& whole) {
  v.field("decision", whole.decision, {.note = "as in the list"});
  v.field("observation", whole.observation, {.note = "exactly what the network saw", .length_max = kPageEntriesMax});
  v.field("previous_inputs", whole.previous_inputs, {.note = "in force until it", .length_max = kPageEntriesMax});
  v.field("network_output", whole.network_output, {.note = "exactly what it said", .length_max = kPageEntriesMax});
  v.field("recurrent_state", whole.recurrent_state,
          {.note = "what a network with a memory remembered before it", .length_max = kPageEntriesMax});
  v.field("seen", whole.seen, {.note = "the tags of the reward, as io had them, where they were good"});
  v.field("timings_us", whole.timings_us, {.note = "microseconds: sample_to_write and others"});
}

inline constexpr std::array<std::string_view, 5> kReplayOutcomes{"same", "different", "not_policy", "held", "unknown"};

struct ReplayDifference {
  static constexpr std::string_view kSchema = "ReplayDifference";
  std::string what, recorded, computed;
};
template <typename Visitor>
void describe(Visitor& v, ReplayDifference& difference) {
  v.field("what", difference.what, {.note = "network_output[1], or which proposal"});
  v.field("recorded", difference.recorded, {.note = "with every digit that tells it from its neighbour"});
  v.field("computed", difference.computed, {.note = "the same"});
}

struct ReplayReport {
  static constexpr std::string_view kSchema = "Replay";
  std::string id, outcome, reason;
  std::vector<ReplayDifference> differences;
};
template <typename Visitor>
void describe(Visitor& v, ReplayReport& report) {
  v.field("id", report.id, {.note = "of the decision"});
  v.field("outcome", report.outcome,
          {.note = "same: every bit; not_policy: a person's, or a fallback's; held: the policy was not asked; unknown: "
                   "its policy is not at hand",
           .words = kReplayOutcomes});
  v.field("reason", report.reason, {.note = "why it is unknown or of another shape"});
  v.field("differences", report.differences, {.note = "all of them", .length_max = kPageEntriesMax});
}

}  // namespace rltune::api
