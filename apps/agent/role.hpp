// The frame of rltune-agent and rltune-learner: what coredinator passes to them, and what their exit status means.
#pragma once

#include "rltune/agent/agent_role.hpp"

namespace rltune::agent {

struct RoleMain {
  const char* about;
  const char* name;    // of the role: "agent"
  bool first = false;  // before other processes, where the system lets us
  Result<> (*run)(const AgentOptions& options);
};

int main_of(const RoleMain& role, int argc, char** argv);

}  // namespace rltune::agent
