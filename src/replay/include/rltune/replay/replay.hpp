// A recorded decision, computed again from what was seen.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rltune/historian/decision_log.hpp"
#include "rltune/replay/policy_shelf.hpp"

namespace rltune::replay {

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

// "same", "not_policy".
std::string_view to_string(ReplayOutcome outcome);
// Seventeen: what differs in the last bit must look different.
std::string digits(double value);

ReplayResult replay(const historian::Decision& decision, PolicyShelf& shelf);

}  // namespace rltune::replay
