// The agent role: one policy at work. It subscribes to io's samples, decides, and proposes to io; it writes
// nothing to the plant.
//
// Threads: one.
#pragma once

#include <filesystem>
#include <string>

#include "rltune/base/error.hpp"

namespace rltune::agent {

struct AgentOptions {
  std::filesystem::path site;
  std::string agent;
  std::filesystem::path run_folder;
};

// Runs until SIGTERM. Errors: what is wrong with the site, the artifact or their fit: starting again would
// not help; denied when the policy failed its validation and the site starts in automatic mode.
Result<> run_agent(const AgentOptions& options);

}  // namespace rltune::agent
