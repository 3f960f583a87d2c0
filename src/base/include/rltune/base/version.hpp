// The version of the program that runs: "0.1.0".
#pragma once

#include <string_view>

namespace rltune {

std::string_view version() noexcept;

}  // namespace rltune
