// The plant models of this build, as others ask for them: what policies are trained on and twins serve.
//
// Threads: belongs to the thread of the server that it is added to.
#pragma once

#include "rltune/base/error.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/library.pb.h"

namespace rltune::library {

void add_plant_desk(bus::Server& server);

void list_plant_models(v1::PlantModelsAnswer& answer);
// Errors: not_found.
Result<> tell_plant_model(const v1::PlantModelRequest& request, v1::PlantModelAnswer& answer);

}  // namespace rltune::library
