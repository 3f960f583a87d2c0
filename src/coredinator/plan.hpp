// Which roles a site has, how each is started, and which must answer before it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"
#include "rltune/config/site.hpp"
#include "rltune/coredinator/coredinator.hpp"
#include "rltune/v1/supervision.pb.h"

namespace rltune::coredinator {

struct Planned {
  v1::RoleSpec spec;
  std::string waits_for;  // the role that must have answered once; empty for none
  bool vital = false;     // without it there is nothing to run
  bool stopped = false;   // by a person: it stands still
  bool mute = false;      // it answers no calls: well while it runs
  bool leaving = false;   // no longer wanted; forgotten when it is gone
  bool once = false;      // does its work and ends: asked for nothing, not started again
  Duration limit{};       // once: so long it may take; 0: as long as the supervisor's policy says
};

// One instance of an agent that runs.
struct Deployed {
  std::string instance;            // "climate", "climate@1.2.0"
  std::filesystem::path artifact;  // empty: the site's own policy
  bool active = false;             // the one that a learner improves
  bool stopped = false;
};

Planned plan_io(const Options& options);
// Copies the audit log's heads to where storage.audit_heads says, which may hang: nobody waits for it.
Planned plan_heads(const config::Site& site, const Options& options);
// Keeps and forwards logs and figures; whatever becomes of it the others go on.
Planned plan_telemetry(const Options& options);
// The public port; whatever becomes of it the others go on.
Planned plan_gateway(const Options& options);
// The instance and, where it is active and the site learns, its learner.
std::vector<Planned> plan_instance(const config::Agent& agent, const Deployed& deployed, const Options& options);

// Compares a version's policy with that of another on the twin of the agent's plant, behind the site's guard, and
// leaves `result`. Ends well where it is not worse beyond chance.
struct Evaluation {
  std::string instance;
  std::filesystem::path artifact, against, result;
  std::uint32_t seasons = 10;
};
Planned plan_evaluation(const config::Agent& agent, const Evaluation& evaluation, const Options& options);

// "agent.climate" -> "agent": the part before the dot names the program and its methods.
std::string kind_of(const std::string& role);

}  // namespace rltune::coredinator
