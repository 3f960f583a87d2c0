// Named quantities with units and bounds: what plants are made of and what policies see and set.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace rltune::env {

// A quantity in the engineer's units. Bounds are physical or normalising, as the user of it says.
struct Variable {
  std::string name;  // as in the facts and in site files: "air_temperature"
  std::string unit;  // "degC", "mg/m2/s"; "1" for a pure number
  double low = 0.0;
  double high = 1.0;
  std::string description;
};

using Space = std::vector<Variable>;

}  // namespace rltune::env
