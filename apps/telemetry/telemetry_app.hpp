// The verbs of `rltune telemetry` and `rltune alert`.
#pragma once

#include "command.hpp"

namespace rltune::telemetry_app {

void add_status_command(CLI::App& app);
void add_alert_commands(CLI::App& app);

}  // namespace rltune::telemetry_app
