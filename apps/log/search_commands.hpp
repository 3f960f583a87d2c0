// rltune log search, follow, export: what a site's roles have logged.
#pragma once

#include "command.hpp"

namespace rltune::log_app {

void add_search_command(CLI::App& app);
void add_follow_command(CLI::App& app);
void add_export_command(CLI::App& app);

}  // namespace rltune::log_app
