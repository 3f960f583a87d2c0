// OPC UA's EngineeringUnits of our units: UNECE Recommendation 20 common codes, as Part 8, 5.6.4.3 maps them
// to numbers (the code's letters as bytes, big-endian).
#pragma once

#include <cstdint>
#include <string_view>

namespace rltune::twin {

struct EngineeringUnit {
  std::int32_t id = -1;          // -1: UNECE has no code for it
  std::string_view description;  // UNECE's name, or empty
};

EngineeringUnit engineering_unit(std::string_view unit) noexcept;

}  // namespace rltune::twin
