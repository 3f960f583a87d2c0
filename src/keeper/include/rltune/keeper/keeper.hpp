// The Keeper is the small process above all roles of a site: it spawns what coredinator asks for, tells it
// who died, starts it anew when it dies itself, keeps what the roles print, and stops everything in order.
// When the keeper itself is killed the kernel kills every role.
//
// Threads: one, and no bus: it forks. Run it before anything starts a thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::keeper {

// Coredinator finds its end of the keeper's socket under this number.
inline constexpr int kKeeperDescriptor = 3;

struct Options {
  std::vector<std::string> coredinator;  // argv
  std::filesystem::path run_folder;
  std::filesystem::path log_folder;               // <role>.log, and older ones; empty: logs in the run folder
  std::chrono::milliseconds grace{10'000};        // of each role at an orderly stop
  std::chrono::milliseconds silence_max{15'000};  // of coredinator, before it counts as hung
  std::chrono::milliseconds ready_within{0};      // every role has to have answered by then; 0: whenever
};

struct RoleHistory {
  std::uint64_t starts = 0;
  int pid = 0;      // of the last one
  std::string end;  // "exit 0", "signal 9"
};

struct Summary {
  std::string reason;  // why everything stopped
  bool failed = false;
  bool ready = false;           // every role had answered once
  bool restart = false;         // asked for: start again, with the programs that are current
  double ready_within_s = 0.0;  // as was asked for with it
  std::map<std::string, RoleHistory> roles;
};

// Returns when the last role is gone: after SIGTERM or SIGINT, or when coredinator asked for it. A second
// signal kills. Errors: io (no run folder), and what keeps coredinator from ever starting.
Result<Summary> run(const Options& options);

}  // namespace rltune::keeper
