// A tag's role as site.yaml writes it.
#pragma once

#include <string_view>

#include "rltune/config/site.hpp"

namespace rltune::config {

std::string_view to_string(TagRole role);

}  // namespace rltune::config
