// Inputs that follow the clock alone: a table by time of day, and a recorded tape played back blind.
#pragma once

#include <memory>
#include <vector>

#include "rltune/controllers/controller.hpp"
#include "rltune/env/plant_model.hpp"

namespace rltune::controllers {

// Plays `inputs`, [step][input], from the first row at every reset; after the last row it holds. A tape that
// was planned for one season and is replayed on another shows how much of a score is knowledge of the weather.
// REQUIRES: inputs.size() is a multiple of the plant's inputs.
std::unique_ptr<Controller> make_tape(const env::PlantSpec& plant, std::vector<double> inputs);

}  // namespace rltune::controllers
