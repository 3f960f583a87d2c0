// What is told of a policy: the words of its parts, and whether it can be used at all.
#pragma once

#include "rltune/base/error.hpp"
#include "rltune/policy/artifact.hpp"

namespace rltune::policy {

const char* to_string(env::Feature::Source source) noexcept;
const char* to_string(env::Actuation::Kind kind) noexcept;
const char* to_string(nn::Activation activation) noexcept;
const char* to_string(nn::RecurrentLayer::Kind kind) noexcept;

// Whether it acts: by a controller, or, where it was trained without a plant, as a network alone. Errors: those of
// PolicyController::create() and nn::PolicyNetwork::create().
Result<> check_usable(const Artifact& artifact);

}  // namespace rltune::policy
