// The versions of an agent, as the registry keeps them and the rollout moves them.
//
//   staged -> validating -> shadow -> canary -> active -> standby -> retired
//        \________\___________\_________\________\__________> rolled_back, with the reason
//
// staged: its artifact is stored. validating: its instance starts, checks the artifact and attaches to io. shadow: it
// decides beside the active one, on record only. canary: it answers a share of the calls besides. active: io writes
// what it proposes. standby: it was active and runs on beside its successor, until that one has proven itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/time.hpp"

namespace rltune::coredinator {

enum class VersionState : std::uint8_t { staged, validating, shadow, canary, active, standby, retired, rolled_back };

const char* to_string(VersionState state) noexcept;
std::optional<VersionState> parse_state(std::string_view word) noexcept;

// Its instance runs.
constexpr bool runs(VersionState state) noexcept {
  return state == VersionState::validating || state == VersionState::shadow || state == VersionState::canary ||
         state == VersionState::active || state == VersionState::standby;
}
constexpr bool in_test(VersionState state) noexcept {
  return state == VersionState::validating || state == VersionState::shadow || state == VersionState::canary;
}

// How a version becomes the active one.
struct Traffic {
  std::uint32_t evaluation_seasons = 10;              // on the twin against the active version; 0: none
  double shadow_s = 60.0;                             // at least so long beside the active one
  std::uint32_t shadow_proposals = 20;                // and so many of its own
  std::vector<double> canary_percent = {10.0, 50.0};  // of the calls to the agent, one step after the other
  double canary_s = 60.0;                             // a step
  double probation_s = 600.0;                         // how long its predecessor stands by
  bool hold = false;                                  // becomes active only when a person promotes it
  // What it must keep, in test and on probation, or be rolled back.
  double latency_max_s = 0.0;            // that half of its decisions take; 0: half of the agent's period, at most 1 s
  double memory_max_mib = 1024.0;        // of its process, resident
  std::optional<double> objective_drop;  // how far its mean reward may lie below its predecessor's; none: not judged
};

struct Version {
  std::string version;          // semantic: "1.2.0"
  std::string artifact_sha256;  // of its stored folder; empty: the policy that site.yaml names
  VersionState state = VersionState::staged;
  std::string reason;      // of the last transition
  std::uint32_t step = 0;  // of the canary
  bool paused = false;
  Traffic traffic;
  TimePoint created{}, changed{};

  double canary_share() const noexcept {  // percent
    return state == VersionState::canary && step < traffic.canary_percent.size() ? traffic.canary_percent[step] : 0.0;
  }
};

struct AgentRecord {
  std::string id;
  bool running = true;            // desired
  std::uint64_t epoch = 0;        // grows with every change of the active version
  std::vector<Version> versions;  // oldest first

  const Version* find(std::string_view version) const noexcept;
  const Version* in_state(VersionState state) const noexcept;  // the first one
  const Version* candidate() const noexcept;                   // the one in test
};

struct Transition {
  std::string version;
  VersionState to;
  std::string reason;
  std::uint32_t step = 0;
};

// The version that a site starts with: the policy of its site.yaml.
inline constexpr const char* kFirstVersion = "0.0.0";

// "1.2.0", "2.0.0-rc.1+build.7": https://semver.org
bool is_semantic(std::string_view version) noexcept;

// The instance that runs it: "climate" for the site's own policy, "climate@1.2.0" for others.
std::string instance_of(const std::string& agent, const Version& version);

}  // namespace rltune::coredinator
