// A recorded decision, computed again from what was seen.
#pragma once

#include <string>
#include <vector>

#include "policy_shelf.hpp"
#include "rltune/historian/decision_log.hpp"

namespace rltune::audit {

enum class ReplayOutcome {
  same,        // every bit
  different,   // says where
  not_policy,  // a person's or a fallback's: nothing to compute
  held,        // the policy was not asked: its observation was not usable
  unknown      // its policy is not at hand
};

struct Difference {
  std::string what;  // "network_output[1]", "proposed heating"
  double recorded = 0.0;
  double computed = 0.0;
};

struct ReplayResult {
  ReplayOutcome outcome = ReplayOutcome::same;
  std::string reason;  // of unknown, and of a difference of shape
  std::vector<Difference> differences;
};

ReplayResult replay(const historian::Decision& decision, PolicyShelf& shelf);

}  // namespace rltune::audit
