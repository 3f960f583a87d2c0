// The learner role: improves one agent's policy beside the loop, from io's decision events. It may hang, leak
// or die at any time; the loop does not notice.
//
// Threads: one.
#pragma once

#include "rltune/agent/agent_role.hpp"
#include "rltune/base/error.hpp"

namespace rltune::agent {

// Runs until SIGTERM, then writes a last checkpoint. Errors: the site's, the artifact's, the expressions'.
Result<> run_learner(const AgentOptions& options);

}  // namespace rltune::agent
