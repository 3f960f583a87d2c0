// Which roles a site has, how each is started, and which must answer before it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/config/site.hpp"
#include "rltune/coredinator/coredinator.hpp"
#include "rltune/v1/supervision.pb.h"

namespace rltune::coredinator {

struct Planned {
  v1::RoleSpec spec;
  std::string waits_for;  // the role that must have answered once; empty for none
  bool vital = false;     // without it there is nothing to run
  bool stopped = false;   // by a person: it stands still
  bool leaving = false;   // no longer wanted; forgotten when it is gone
};

// One instance of an agent that runs.
struct Deployed {
  std::string instance;            // "climate", "climate@1.2.0"
  std::filesystem::path artifact;  // empty: the site's own policy
  bool active = false;             // the one that a learner improves
  bool stopped = false;
};

Planned plan_io(const Options& options);
// The instance and, where it is active and the site learns, its learner.
std::vector<Planned> plan_instance(const config::Agent& agent, const Deployed& deployed, const Options& options);

// "agent.climate" -> "agent": the part before the dot names the program and its methods.
std::string kind_of(const std::string& role);

}  // namespace rltune::coredinator
