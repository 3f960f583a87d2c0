// What the site answers: each operation is one call to coredinator, which passes it on to whom it concerns.
#pragma once

#include "call.hpp"
#include "rltune/bus/caller.hpp"
#include "rltune/config/site.hpp"

namespace rltune::gateway {

// Of every operation that is not SignIn's. The caller outlives them.
Handlers site_handlers(bus::Caller& caller, const config::Site& site);

}  // namespace rltune::gateway
