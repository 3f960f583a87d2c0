// Where a call goes: to the role that its target names, or, where it names an agent, to that agent's active instance or
// the one in canary. The choice is by correlation id, so that the calls of one conversation stay together.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plan.hpp"
#include "rltune/base/error.hpp"
#include "version.hpp"

namespace rltune::coredinator {

class Routes {
 public:
  Routes() = default;
  Routes(const std::vector<AgentRecord>& agents, const std::vector<Planned>& roles, const std::string& run_folder);

  // The endpoint. Errors: not_found, listing what there is; mismatch: the agent is stopped.
  Result<std::string> find(std::string_view target, std::string_view correlation_id) const;

 private:
  struct Route {
    std::string active, canary;  // endpoints
    double percent = 0.0;        // of the calls that go to the canary
    bool running = true;         // as it is meant to be
  };
  std::map<std::string, std::string, std::less<>> roles_;
  std::map<std::string, Route, std::less<>> agents_;
};

// In [0, 100), the same for the same id everywhere.
double place_of(std::string_view correlation_id) noexcept;

}  // namespace rltune::coredinator
