// The policies that the site has, read by coredinator.
#pragma once

#include "history_operations.hpp"

namespace rltune::gateway {

// Of the operations listPolicies and getPolicy.
Handlers policy_handlers(const Reading& reading);

}  // namespace rltune::gateway
