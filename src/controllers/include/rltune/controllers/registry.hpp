// The classical controllers by name. A new one is one file and one line in registry.cpp.
//
// Threads: everything here may be called from any thread; a made controller belongs to one.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/controllers/controller.hpp"
#include "rltune/env/plant_model.hpp"

namespace rltune::controllers {

// A number that makes a controller what it is. `low` and `high` are where tuning looks; any finite value is accepted.
struct ControllerParameter {
  std::string name;  // "heat_setpoint_day"
  std::string unit;
  double value = 0.0;  // the default
  double low = 0.0;
  double high = 1.0;
  std::string description;
  bool tunable = true;  // false: a choice of what the controller may know or spend, not for a search to make
};

using ParameterValues = std::map<std::string, double>;

// A controller as one plant can have it.
struct ControllerKind {
  std::string name;
  std::string description;
  bool tunable = false;  // has parameters worth searching
  std::vector<ControllerParameter> parameters;
};

// Those that know this plant, in order of ambition: off, hold, schedule, grower, rule, pid, mpc.
std::vector<ControllerKind> controller_kinds(const env::PlantSpec& plant);

// Errors: not_found, listing the plant's controllers; invalid_argument for an unknown or non-finite parameter,
// listing the valid names.
Result<std::unique_ptr<Controller>> make_controller(std::string_view name, const env::PlantSpec& plant,
                                                    const ParameterValues& parameters = {});

}  // namespace rltune::controllers
