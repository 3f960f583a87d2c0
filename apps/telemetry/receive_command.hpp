// rltune telemetry receive: the cloud side of a gateway in one command.
#pragma once

#include "command.hpp"

namespace rltune::telemetry_app {

void add_receive_command(CLI::App& app);

}  // namespace rltune::telemetry_app
