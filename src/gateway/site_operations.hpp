// What the site answers: each operation is one call to coredinator, which passes it on to whom it concerns.
#pragma once

#include "call.hpp"
#include "rltune/bus/caller.hpp"

namespace rltune::gateway {

// Of every operation that is not SignIn's. The caller outlives them.
Handlers site_handlers(bus::Caller& caller);

// How an error of the bus is told: 404 for what is not found, 503 where nobody is there, 504 where no answer came.
Answer refusal_of(const Error& error);

}  // namespace rltune::gateway
