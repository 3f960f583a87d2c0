// The ZeroMQ context. Internal.
#pragma once

#include "rltune/bus/bus.hpp"

namespace rltune::bus {

struct Context::State {
  void* handle = nullptr;
};

}  // namespace rltune::bus
