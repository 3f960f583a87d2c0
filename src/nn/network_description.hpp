// What makes a NetworkDescription sound; shared by PolicyNetwork and the ONNX reader and writer.
#pragma once

#include "rltune/nn/policy_network.hpp"

namespace rltune::nn {

constexpr std::size_t kWidthMax = 65'536;
constexpr std::size_t kLayersMax = 64;

// Shapes chain, sizes are within the limits above, and every value is finite. Errors: invalid_argument.
Result<> check(const NetworkDescription& description);

}  // namespace rltune::nn
