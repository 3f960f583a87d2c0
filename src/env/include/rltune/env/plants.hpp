// The registry of plants: what there is, how to make one, and the task that each is published with.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/env/exogenous.hpp"
#include "rltune/env/plant_model.hpp"
#include "rltune/env/snapshot.hpp"

namespace rltune::env {

// Parameter name -> value: what --set gives.
using Overrides = std::map<std::string, double>;

std::vector<std::string> plant_names();

// Wherever a plant is named, the path of a shared library (with a '/', or ending in ".so") names the plant that it
// brings (include/rltune_plant.h); afterwards the process knows it by its own name too. Loading runs its code.
//
// A batch of `size` instances in the task's start state. Errors: not_found for an unknown plant or parameter,
// listing the valid names; invalid_argument for a value that is not finite; mismatch for a library of another version.
Result<std::unique_ptr<PlantModel>> make_plant(std::string_view name, std::size_t size,
                                               const Overrides& overrides = {});

// The published task of a plant: where an episode starts, how long it is, what a policy sees and sets.
struct Task {
  std::string plant;
  std::vector<double> state_start;
  std::vector<double> input_start;
  std::size_t steps = 0;  // of one episode
  bool ends = false;      // the last step is the end (a harvest): terminated. Otherwise the clock cut it: truncated
  std::shared_ptr<const ExogenousSeries> schedule;  // null where it is weather, which the caller brings
  std::size_t forecast_leads = 0;                   // sample periods ahead that a controller is shown
  ObservationLayout observation;
  ActionLayout action;
  std::vector<double> measurement_noise;  // published, relative: x (1 + noise N(0, 1)), one a measurement
  // What learning adds to these parameters: limits tighter than they are, a margin for what the twin does not know.
  // Scores never use it.
  Overrides learning_margins;
  HistoryOptions history;  // that a policy for this plant is shown by default
};

struct TaskOptions {
  std::size_t forecast_leads = 0;  // adds every exogenous variable of that many periods ahead to the observation
};

Result<Task> make_task(std::string_view plant, const TaskOptions& options = {});

// The identity of a plant: SHA-256 over its name and every parameter's name and value.
std::string parameters_sha256(const PlantSpec& spec);

}  // namespace rltune::env
