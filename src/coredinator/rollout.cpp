#include "rollout.hpp"

#include <algorithm>
#include <cmath>
#include <format>

namespace rltune::coredinator {
namespace {

constexpr double kNormal975 = 1.96;

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

// Counters begin anew when io was restarted.
std::uint64_t since(std::uint64_t now, std::uint64_t base) { return now >= base ? now - base : now; }

Result<const Version*> find(const AgentRecord& agent, const std::string& version) {
  if (const Version* found = agent.find(version)) return found;
  std::string names;
  for (const Version& one : agent.versions) names += (names.empty() ? "" : ", ") + one.version;
  return fail(Errc::not_found, std::format("agent {} has no version '{}'; there are {}", agent.id, version, names));
}

// `version` becomes the active one; who was it stands by, and who stood by is done.
std::vector<Transition> switch_to(const AgentRecord& agent, const std::string& version, const std::string& reason) {
  std::vector<Transition> transitions;
  const Version* standby = agent.in_state(VersionState::standby);
  if (standby != nullptr && standby->version != version)
    transitions.push_back({standby->version, VersionState::retired, "a newer one stands by"});
  if (const Version* active = agent.in_state(VersionState::active))
    transitions.push_back({active->version, VersionState::standby, "stands by while " + version + " proves itself"});
  transitions.push_back({version, VersionState::active, reason});
  return transitions;
}

// The one that was active last, of those that are done.
const Version* predecessor(const AgentRecord& agent) {
  if (const Version* standby = agent.in_state(VersionState::standby)) return standby;
  const Version* last = nullptr;
  for (const Version& version : agent.versions)
    if (version.state == VersionState::retired && (last == nullptr || version.changed >= last->changed))
      last = &version;
  return last;
}

Result<std::vector<Transition>> replace_active(const AgentRecord& agent, const std::string& reason) {
  const Version* active = agent.in_state(VersionState::active);
  const Version* before = predecessor(agent);
  if (active == nullptr || before == nullptr)
    return fail(Errc::denied, std::format("agent {} has no earlier version; stop it ('rltune agent stop') or take the "
                                          "plant in hand ('rltune site hold')",
                                          agent.id));
  std::vector<Transition> transitions{{active->version, VersionState::rolled_back, reason},
                                      {before->version, VersionState::active, "after " + active->version}};
  if (const Version* candidate = agent.candidate())
    transitions.push_back({candidate->version, VersionState::rolled_back, "withdrawn with " + active->version});
  return transitions;
}

}  // namespace

// What happened between a decision and now is the new stage's, a death above all.
Sight Rollout::base_of(const std::string& version, const std::map<std::string, Sight>& seen) const {
  if (const auto before = before_.find(version); before != before_.end()) return before->second;
  const auto sight = seen.find(version);
  if (sight == seen.end()) return {};
  Sight base = sight->second;
  base.restarts = 0;  // they are counted since we run
  return base;
}

void Rollout::note_stages(const AgentRecord& agent, const std::map<std::string, Sight>& seen, Duration now) {
  for (const Version& version : agent.versions) {
    const auto stage = stages_.find(version.version);
    if (!runs(version.state)) {
      if (stage != stages_.end()) stages_.erase(stage);
      continue;
    }
    if (stage == stages_.end() || stage->second.state != version.state || stage->second.step != version.step)
      stages_.insert_or_assign(version.version,
                               Stage{version.state, version.step, now, base_of(version.version, seen)});
  }
  before_ = seen;
  std::erase_if(before_, [&](const auto& sight) { return !runs(agent.find(sight.first)->state); });
}

std::optional<std::string> Rollout::guard_trouble(const Stage& stage, const Sight& now, const Sight* other) const {
  const std::uint64_t proposals = since(now.proposals, stage.base.proposals);
  const std::uint64_t interventions = since(now.interventions, stage.base.interventions);
  if (proposals < limits_.judged_from) return std::nullopt;
  const double others = other == nullptr ? 0.0 : share(other->interventions, other->proposals);
  if (share(interventions, proposals) <= others + limits_.interventions_more) return std::nullopt;
  return std::format("the guard changes {} of {} of its proposals, and {:.0f} % of the other version's", interventions,
                     proposals, 100.0 * others);
}

std::optional<std::string> Rollout::speed_trouble(const Version& version, const Sight& now) const {
  const Duration limit = version.traffic.latency_max_s > 0.0 ? from_seconds(version.traffic.latency_max_s)
                                                             : std::min(limits_.latency, period_ / 2);
  if (now.proposals < limits_.judged_from || now.latency <= limit) return std::nullopt;
  return std::format("half of its decisions take longer than {:.3g} ms; the limit is {:.3g} ms",
                     1e3 * to_seconds(now.latency), 1e3 * to_seconds(limit));
}

// Welch's interval of the difference of the means, at 97.5 % on one side. Means over ten periods each are less of a
// chain than the rewards themselves.
std::optional<std::string> Rollout::reward_trouble(const Version& version, const Sight& now, const Sight* other) const {
  if (!version.traffic.objective_drop || other == nullptr || now.reward.batches < limits_.rewards_from ||
      other->reward.batches < limits_.rewards_from)
    return std::nullopt;
  const auto variance_of_mean = [](const auto& reward) {
    const auto batches = static_cast<double>(reward.batches);
    return reward.squares / (batches - 1.0) / batches;
  };
  const double gain = now.reward.mean - other->reward.mean;
  const double margin = kNormal975 * std::sqrt(variance_of_mean(now.reward) + variance_of_mean(other->reward));
  if (gain + margin >= -*version.traffic.objective_drop) return std::nullopt;
  return std::format("its mean reward is {:.4g} a decision, its predecessor's {:.4g}; it may lie {:g} below",
                     now.reward.mean, other->reward.mean, *version.traffic.objective_drop);
}

std::optional<std::string> Rollout::trouble(const Version& version, const Sight& now, const Sight* other,
                                            Duration time) const {
  const Stage& stage = stages_.at(version.version);
  if (now.refused) return "it refused to run: " + now.reason;
  if (now.evaluation == Sight::Evaluation::failed) return "on the twin: " + now.evaluated;
  if (now.restarts > stage.base.restarts) return "it died: " + now.reason;
  if (!now.attached && now.unattached >= limits_.attach)
    return std::format("it did not attach to io within {:g} s", to_seconds(limits_.attach));
  if (!now.attached) return std::nullopt;
  if (!now.validated) return "its policy did not pass the validation of its training";
  if (since(now.faults, stage.base.faults) > 0) return "what it computes is not finite";
  const Duration quiet_limit = std::max(limits_.quiet_least, from_seconds(limits_.quiet_periods * to_seconds(period_)));
  // Where the other one is silent as well it is the plant that says nothing.
  const bool plant_quiet = other != nullptr && other->attached && other->quiet > quiet_limit / 2;
  if (now.quiet > quiet_limit && !plant_quiet && time - stage.since > quiet_limit)
    return std::format("it made no proposal for {:.1f} s", to_seconds(now.quiet));
  if (now.resident_mib > version.traffic.memory_max_mib)
    return std::format("it takes {:.0f} MiB of memory; its limit is {:g} MiB", now.resident_mib,
                       version.traffic.memory_max_mib);
  if (auto why = speed_trouble(version, now)) return why;
  if (auto why = guard_trouble(stage, now, other)) return why;
  return version.state == VersionState::active ? reward_trouble(version, now, other) : std::nullopt;
}

std::vector<Transition> Rollout::advance(const AgentRecord& agent, const Version& candidate, const Sight& sight,
                                         Duration now) const {
  const Stage& stage = stages_.at(candidate.version);
  const Traffic& traffic = candidate.traffic;
  const Duration stood = now - stage.since;
  const auto finish = [&]() -> std::vector<Transition> {
    if (traffic.hold) return {};
    return switch_to(agent, candidate.version, "passed its tests");
  };
  switch (candidate.state) {
    case VersionState::validating:
      if (!sight.attached || sight.evaluation == Sight::Evaluation::running) return {};
      return {{candidate.version, VersionState::shadow,
               sight.evaluated.empty() ? "its artifact fits and it decides"
                                       : "its artifact fits and it decides; on the twin: " + sight.evaluated}};
    case VersionState::shadow:
      if (stood < from_seconds(traffic.shadow_s) ||
          since(sight.proposals, stage.base.proposals) < traffic.shadow_proposals)
        return {};
      if (traffic.canary_percent.empty()) return finish();
      return {{candidate.version, VersionState::canary,
               std::format("answers {:g} % of the calls", traffic.canary_percent[0]), 0}};
    case VersionState::canary:
      if (stood < from_seconds(traffic.canary_s)) return {};
      if (candidate.step + 1 >= traffic.canary_percent.size()) return finish();
      return {{candidate.version, VersionState::canary,
               std::format("answers {:g} % of the calls", traffic.canary_percent[candidate.step + 1]),
               candidate.step + 1}};
    default:
      return {};
  }
}

std::vector<Transition> Rollout::due(const AgentRecord& agent, const std::map<std::string, Sight>& seen, Duration now) {
  note_stages(agent, seen, now);
  if (!agent.running) return {};
  const auto sight_of = [&](const Version* version) -> const Sight* {
    const auto found = version == nullptr ? seen.end() : seen.find(version->version);
    return found == seen.end() ? nullptr : &found->second;
  };
  const Version* active = agent.in_state(VersionState::active);
  const Version* standby = agent.in_state(VersionState::standby);
  const Version* candidate = agent.candidate();

  // First of all: the version that acts. Nothing below can keep it from being replaced.
  if (active != nullptr && standby != nullptr && sight_of(active) != nullptr) {
    if (const auto why = trouble(*active, *sight_of(active), sight_of(standby), now))
      return replace_active(agent, *why).value_or(std::vector<Transition>{});
    if (now - stages_.at(active->version).since >= from_seconds(active->traffic.probation_s) && !active->paused)
      return {{standby->version, VersionState::retired, active->version + " has proven itself"}};
  }
  if (candidate == nullptr) {
    if (const Version* next = agent.in_state(VersionState::staged); next != nullptr && !next->paused)
      return {{next->version, VersionState::validating, "its instance starts"}};
    return {};
  }
  const Sight* sight = sight_of(candidate);
  if (sight == nullptr) return {};
  if (const auto why = trouble(*candidate, *sight, sight_of(active), now))
    return {{candidate->version, VersionState::rolled_back, *why}};
  if (candidate->paused) return {};
  return advance(agent, *candidate, *sight, now);
}

Result<std::vector<Transition>> promote(const AgentRecord& agent, const std::string& version) {
  const auto found = find(agent, version);
  if (!found) return std::unexpected(found.error());
  switch ((*found)->state) {
    case VersionState::shadow:
    case VersionState::canary:
    case VersionState::standby:
      return switch_to(agent, version, "promoted");
    case VersionState::active:
      return fail(Errc::denied, std::format("{} is the active version already", version));
    case VersionState::staged:
    case VersionState::validating:
      return fail(Errc::denied,
                  std::format("{} is {}: wait until it decides in shadow", version, to_string((*found)->state)));
    case VersionState::retired:
    case VersionState::rolled_back:
      break;
  }
  return fail(Errc::denied, std::format("{} is {}; deploy its folder again under another version", version,
                                        to_string((*found)->state)));
}

Result<std::vector<Transition>> roll_back(const AgentRecord& agent) {
  if (agent.in_state(VersionState::standby) == nullptr)
    if (const Version* candidate = agent.candidate())
      return std::vector<Transition>{{candidate->version, VersionState::rolled_back, "withdrawn"}};
  return replace_active(agent, "rolled back");
}

Result<std::vector<Transition>> roll_back(const AgentRecord& agent, const std::string& version) {
  const auto found = find(agent, version);
  if (!found) return std::unexpected(found.error());
  const VersionState state = (*found)->state;
  if (state == VersionState::active) return replace_active(agent, "rolled back");
  if (in_test(state) || state == VersionState::staged)
    return std::vector<Transition>{{version, VersionState::rolled_back, "withdrawn"}};
  return fail(Errc::denied, std::format("{} is {}: there is nothing to roll back", version, to_string(state)));
}

}  // namespace rltune::coredinator
