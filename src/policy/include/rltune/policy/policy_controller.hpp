// A learned policy as a Controller: observe, infer, actuate. No allocation in act().
#pragma once

#include <memory>

#include "rltune/base/error.hpp"
#include "rltune/controllers/controller.hpp"
#include "rltune/policy/artifact.hpp"

namespace rltune::policy {

// `outcome` is fault when the observation or the network's output is not finite.
Result<std::unique_ptr<controllers::Controller>> make_policy_controller(const Artifact& artifact);

}  // namespace rltune::policy
