// The training runs that lie in the site's folder, read by coredinator.
#pragma once

#include "history_operations.hpp"

namespace rltune::gateway {

// Of the operations listRuns, getRun and getRunFigures.
Handlers run_handlers(const Reading& reading);

}  // namespace rltune::gateway
