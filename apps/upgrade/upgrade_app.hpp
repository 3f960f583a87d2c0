// What the verbs of `rltune upgrade` share.
#pragma once

#include "command.hpp"

namespace rltune::upgrade_app {

void add_upgrade_commands(CLI::App& app);
void add_builder_commands(CLI::App& app);

}  // namespace rltune::upgrade_app
