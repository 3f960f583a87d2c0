// The sites that run with the programs of a root, and what is asked of them over their bus.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::upgrade {

struct RunningSite {
  int pid = 0;  // of its keeper
  std::filesystem::path site, run_folder;
  std::string version;  // of the keeper's program
};
// Every keeper whose program lies in the root's versions, of all that this user may see.
std::vector<RunningSite> running_sites(const std::filesystem::path& root);

// To the keeper itself, for a site whose coredinator cannot be asked. False where it is gone.
bool signal_to_restart(const RunningSite& site) noexcept;

struct SiteState {
  bool answers = false;
  std::string version;                       // of its coredinator
  int process = 0;                           // coredinator's
  std::map<std::string, std::string> roles;  // name -> state
  std::map<std::string, int> processes;      // name -> pid
  std::vector<std::string> healthy() const;
};

// Threads: belongs to one thread.
class SiteLink {
 public:
  explicit SiteLink(const std::filesystem::path& run_folder);
  ~SiteLink();
  SiteLink(const SiteLink&) = delete;
  SiteLink& operator=(const SiteLink&) = delete;

  // What it says within a second.
  SiteState look();
  // Everything stops in order and starts with the programs that are current. `grace`: of each role; 0: the keeper's.
  Result<> ask_to_restart(const std::string& reason, std::chrono::milliseconds ready_within,
                          std::chrono::milliseconds grace);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rltune::upgrade
