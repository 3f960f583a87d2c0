// What the site answers: each operation is one call to coredinator, which passes it on to whom it concerns.
#pragma once

#include <filesystem>

#include "call.hpp"
#include "rltune/bus/caller.hpp"

namespace rltune::gateway {

// Of every operation that is not SignIn's. The caller outlives them.
Handlers site_handlers(bus::Caller& caller, const std::filesystem::path& site_folder);

}  // namespace rltune::gateway
