// The plant models that policies are trained on.
#pragma once

#include "asking.hpp"

namespace rltune::gateway {

Handlers plant_handlers(const Reading& reading);

}  // namespace rltune::gateway
