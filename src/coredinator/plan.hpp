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
};

std::vector<Planned> plan(const config::Site& site, const Options& options);

// "agent.climate" -> "agent": the part before the dot names the program and its methods.
std::string kind_of(const std::string& role);

// The role that a call's target means: a role's own name, or an agent's id.
Result<std::string> resolve(const std::vector<Planned>& roles, std::string_view target);

}  // namespace rltune::coredinator
