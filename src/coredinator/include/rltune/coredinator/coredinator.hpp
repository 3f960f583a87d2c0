// Coredinator decides which roles of a site run: it reads the site, starts io and then the agents, asks
// each for its health, restarts what died or hangs, answers who runs, and passes calls on to the role or the
// agent that their envelope names. The keeper does the spawning; a coredinator that died and came back finds
// what runs and goes on.
//
// Threads: one.
#pragma once

#include <filesystem>

#include "rltune/base/error.hpp"

namespace rltune::coredinator {

struct Options {
  std::filesystem::path site;
  std::filesystem::path run_folder;
  std::filesystem::path executables;  // the folder with rltune-io, rltune-agent, ...
};

// Runs until SIGTERM, or until the keeper is gone.
// Errors: whatever is wrong with the site: starting again would not help; denied (not started by a keeper).
Result<> run(const Options& options);

}  // namespace rltune::coredinator
