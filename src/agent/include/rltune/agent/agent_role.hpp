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
  // Of a version that was deployed: its artifact's folder, and the name of this instance, "climate@1.2.0". Empty: the
  // site's own policy, under the agent's id.
  std::filesystem::path artifact;
  std::string instance;

  const std::string& name() const noexcept { return instance.empty() ? agent : instance; }
};

// Runs until SIGTERM. Errors: what is wrong with the site, the artifact or their fit: starting again would
// not help; denied when the policy failed its validation and the site starts in automatic mode.
Result<> run_agent(const AgentOptions& options);

}  // namespace rltune::agent
