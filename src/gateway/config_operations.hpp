// The site's configuration, read and changed. What loosens a limit waits for a second person, whoever asks.
#pragma once

#include "call.hpp"
#include "rltune/bus/caller.hpp"

namespace rltune::gateway {

// The caller outlives them.
Handlers config_handlers(bus::Caller& caller);

}  // namespace rltune::gateway
