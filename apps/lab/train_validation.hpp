// The examination that every training ends with: the policy against a classical controller that was tuned with the
// same budget on the same training weather, both on seasons that neither has met.
#pragma once

#include <nlohmann/json.hpp>

#include "rltune/policy/artifact.hpp"
#include "train_options.hpp"

namespace rltune::lab {

struct Examined {
  policy::Validation validation;
  nlohmann::ordered_json report;  // the figures of both, and of the comparison
};

// Passed: the lower 95 % bound of the paired gain is above 0, the limits are kept no worse than by the other, and no
// decision failed. Tunes the plant's rule (a PID where it has none) unless options.baseline names a tuned one.
Examined examine_policy(const policy::Artifact& artifact, const TrainPlan& plan, const TrainOptions& options);

}  // namespace rltune::lab
