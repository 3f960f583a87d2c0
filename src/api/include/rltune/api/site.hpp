// Messages about a running site: its roles, its plant, its agents.
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

inline constexpr std::array<std::string_view, 4> kModes{"manual", "shadow", "advisory", "automatic"};
inline constexpr std::array<std::string_view, 2> kAgentVerbs{"start", "stop"};
inline constexpr std::array<std::string_view, 4> kVersionVerbs{"promote", "rollback", "pause", "resume"};
inline constexpr std::size_t kReasonMax = 500;

struct SiteInfo {
  static constexpr std::string_view kSchema = "Site";
  std::string name, version, clock;
  TimePoint time;
  std::uint64_t tags = 0;
  std::vector<std::string> agents;
};
template <typename Visitor>
void describe(Visitor& v, SiteInfo& site) {
  v.field("name", site.name, {.note = "as site.yaml has it"});
  v.field("version", site.version, {.note = "of the product"});
  v.field("clock", site.clock, {.note = "whose time it lives by: wall, the host's; plant, the plant's own"});
  v.field("time", site.time, {.note = "of the host's clock"});
  v.field("tags", site.tags, {.note = "how many it has"});
  v.field("agents", site.agents, {.note = "their ids"});
}

struct RoleInfo {
  static constexpr std::string_view kSchema = "Role";
  std::string name, state, reason;
  std::uint64_t restarts = 0;
  std::optional<TimePoint> started;
};
template <typename Visitor>
void describe(Visitor& v, RoleInfo& role) {
  v.field("name", role.name, {.note = "\"io\", \"agent.climate\""});
  v.field("state", role.state, {.note = "starting, healthy, unhealthy, backoff, stopped or failed"});
  v.field("reason", role.reason, {.note = "why it is not healthy"});
  v.field("restarts", role.restarts, {.note = "since the site started"});
  v.field("started", role.started, {.note = "missing while it does not run"});
}

struct RoleList {
  static constexpr std::string_view kSchema = "RoleList";
  std::vector<RoleInfo> roles;
};
template <typename Visitor>
void describe(Visitor& v, RoleList& list) {
  v.field("roles", list.roles, {.note = "every process of the site"});
}

struct PlantState {
  static constexpr std::string_view kSchema = "PlantState";
  std::string link_state, link_reason, mode, agent_state, trouble;
  std::uint64_t reconnects = 0, decisions = 0, samples = 0;
  std::map<std::string, std::uint64_t> verdicts;
  std::map<std::string, double> latency_us;
};
template <typename Visitor>
void describe(Visitor& v, PlantState& plant) {
  v.field("link_state", plant.link_state, {.note = "connected, or what it is instead"});
  v.field("link_reason", plant.link_reason, {.note = "why it is not connected"});
  v.field("mode", plant.mode, {.note = "who steers", .words = kModes});
  v.field("agent_state", plant.agent_state, {.note = "alive, holding or fallback"});
  v.field("trouble", plant.trouble, {.note = "what a person should look at; empty: nothing"});
  v.field("reconnects", plant.reconnects, {.note = "of the link, since io started"});
  v.field("decisions", plant.decisions, {.note = "recorded since io started"});
  v.field("samples", plant.samples, {.note = "received since io started"});
  v.field("verdicts", plant.verdicts, {.note = "of the guard, by action"});
  v.field("latency_us", plant.latency_us, {.note = "microseconds: sample_to_write_p50 and others"});
}

struct ModeState {
  static constexpr std::string_view kSchema = "Mode";
  std::string mode;
  std::string refused;
};
template <typename Visitor>
void describe(Visitor& v, ModeState& state) {
  v.field("mode", state.mode, {.note = "in force now", .words = kModes});
  v.field("refused", state.refused, {.note = "why the mode asked for is not; empty: it is"});
}

struct ModeOrder {
  static constexpr std::string_view kSchema = "ModeOrder";
  std::string mode, reason;
};
template <typename Visitor>
void describe(Visitor& v, ModeOrder& order) {
  v.field("mode", order.mode, {.note = "from now on", .words = kModes});
  v.field("reason", order.reason, {.note = "for the record", .length_max = kReasonMax});
}

struct SetPointOrder {
  static constexpr std::string_view kSchema = "SetPointOrder";
  double value = 0.0;
  std::string reason;
};
template <typename Visitor>
void describe(Visitor& v, SetPointOrder& order) {
  v.field("value", order.value, {.note = "in the tag's unit"});
  v.field("reason", order.reason, {.note = "for the record", .length_max = kReasonMax});
}

struct SetPointAnswer {
  static constexpr std::string_view kSchema = "SetPointAnswer";
  std::string tag;
  double asked = 0.0;
  std::optional<double> applied;
  bool written = false, verified = false;
};
template <typename Visitor>
void describe(Visitor& v, SetPointAnswer& answer) {
  v.field("tag", answer.tag, {.note = "the set-point"});
  v.field("asked", answer.asked, {.note = "in the tag's unit"});
  v.field("applied", answer.applied, {.note = "what the guard made of it; missing: nothing is known"});
  v.field("written", answer.written, {.note = "the plant took it"});
  v.field("verified", answer.verified, {.note = "and it was read back"});
}

struct VersionState {
  static constexpr std::string_view kSchema = "Version";
  std::string version, state, reason;
  bool paused = false;
  double canary_percent = 0.0;
  std::optional<TimePoint> created, changed;
};
template <typename Visitor>
void describe(Visitor& v, VersionState& version) {
  v.field("version", version.version, {.note = "\"1.2.0\""});
  v.field("state", version.state,
          {.note = "staged, validating, shadow, canary, active, standby, retired or rolled_back"});
  v.field("reason", version.reason, {.note = "why it is in that state"});
  v.field("paused", version.paused, {.note = "a person holds its rollout"});
  v.field("canary_percent", version.canary_percent, {.note = "of the calls that it answers now"});
  v.field("created", version.created, {.note = "deployed"});
  v.field("changed", version.changed, {.note = "of state, last"});
}

struct AgentState {
  static constexpr std::string_view kSchema = "Agent";
  std::string id, active;
  bool running = false, in_force = false;
  std::vector<VersionState> versions;
};
template <typename Visitor>
void describe(Visitor& v, AgentState& agent) {
  v.field("id", agent.id, {.note = "as in site.yaml"});
  v.field("active", agent.active, {.note = "the version that steers; empty: the policy of site.yaml"});
  v.field("running", agent.running, {.note = "as it is meant to be"});
  v.field("in_force", agent.in_force, {.note = "io has confirmed the active version"});
  v.field("versions", agent.versions, {.note = "all that are known"});
}

struct AgentList {
  static constexpr std::string_view kSchema = "AgentList";
  std::vector<AgentState> agents;
};
template <typename Visitor>
void describe(Visitor& v, AgentList& list) {
  v.field("agents", list.agents, {.note = "of the site"});
}

struct AgentHealth {
  static constexpr std::string_view kSchema = "AgentHealth";
  bool healthy = false;
  std::string reason;
};
template <typename Visitor>
void describe(Visitor& v, AgentHealth& health) {
  v.field("healthy", health.healthy, {.note = "it decides, by its own word"});
  v.field("reason", health.reason, {.note = "why not"});
}

struct AgentOrder {
  static constexpr std::string_view kSchema = "AgentOrder";
  std::string verb, reason;
};
template <typename Visitor>
void describe(Visitor& v, AgentOrder& order) {
  v.field("verb", order.verb, {.note = "what to do", .words = kAgentVerbs});
  v.field("reason", order.reason, {.note = "for the record", .length_max = kReasonMax});
}

struct VersionOrder {
  static constexpr std::string_view kSchema = "VersionOrder";
  std::string verb, reason;
};
template <typename Visitor>
void describe(Visitor& v, VersionOrder& order) {
  v.field("verb", order.verb, {.note = "what to do", .words = kVersionVerbs});
  v.field("reason", order.reason, {.note = "for the record", .length_max = kReasonMax});
}

struct VersionDeploy {
  static constexpr std::string_view kSchema = "VersionDeploy";
  std::string version, artifact, reason;
  std::optional<double> shadow_s, canary_s, probation_s;
  std::optional<std::vector<double>> canary_percent;
  std::optional<bool> hold;
};
template <typename Visitor>
void describe(Visitor& v, VersionDeploy& deploy) {
  constexpr double kDay = 86'400.0;
  v.field("version", deploy.version, {.note = "\"1.2.0\"", .length_max = 64});
  v.field("artifact", deploy.artifact, {.note = "folder of the policy on the site's host, below the site's folder"});
  v.field("reason", deploy.reason, {.note = "for the record", .length_max = kReasonMax});
  v.field("shadow_s", deploy.shadow_s,
          {.note = "beside the active version, unheard; left out: 60", .low = 0.0, .high = 30 * kDay});
  v.field("canary_percent", deploy.canary_percent,
          {.note = "steps, of the calls that it answers; left out: 10, 50; empty: none",
           .length_max = 10,
           .low = 1.0,
           .high = 99.0});
  v.field("canary_s", deploy.canary_s, {.note = "each step; left out: 60", .low = 0.0, .high = 30 * kDay});
  v.field("probation_s", deploy.probation_s,
          {.note = "watched after it became active; left out: 600", .low = 0.0, .high = 30 * kDay});
  v.field("hold", deploy.hold, {.note = "becomes active only when a person promotes it; left out: false"});
}

}  // namespace rltune::api
