// The verbs of `rltune user`.
#pragma once

#include "command.hpp"

namespace rltune::gateway_app {

void add_break_glass_command(CLI::App& app);
void add_invite_command(CLI::App& app);
void add_secret_command(CLI::App& app);

}  // namespace rltune::gateway_app
