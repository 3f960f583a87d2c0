// For a server that has to be told its port, and whose callers have to know it.
#pragma once

#include <cstdint>

namespace rltune {

// A port of 127.0.0.1 that nobody listens on at this moment; 0: there is none.
std::uint16_t free_port();

}  // namespace rltune
