// What the verbs of `rltune site` share.
#pragma once

#include <filesystem>
#include <string>

#include "command.hpp"
#include "rltune/config/site.hpp"

namespace rltune::site {

using command::confirm;
using command::counted;
using command::Exit;
using command::kDone;
using command::kFailed;
using command::kWrongUsage;
using command::stop;
using command::user_name;

// The site, or Exit with every fault of its file.
config::Site load(const std::filesystem::path& file);

void add_check_commands(CLI::App& app);
void add_init_command(CLI::App& app);
void add_control_commands(CLI::App& app);
void add_storage_command(CLI::App& app);
void add_key_command(CLI::App& app);
void add_certificates_command(CLI::App& app);

}  // namespace rltune::site
