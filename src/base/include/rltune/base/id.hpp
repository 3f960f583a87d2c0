// Identifiers that sort by time: UUID version 7 (RFC 9562), from the kernel's random numbers.
#pragma once

#include <string>

#include "rltune/base/time.hpp"

namespace rltune {

std::string make_id(TimePoint now);

}  // namespace rltune
