// The plant models that policies are trained on.
#pragma once

#include "history_operations.hpp"

namespace rltune::gateway {

// Of the operations listPlantModels and getPlantModel.
Handlers plant_handlers(const Reading& reading);

}  // namespace rltune::gateway
