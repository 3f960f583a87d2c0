// What the verbs of `rltune backup` share.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "command.hpp"
#include "rltune/backup/backup.hpp"

namespace rltune::backup {

using command::counted;
using command::Exit;
using command::kFailed;
using command::kWrongUsage;
using command::stop;

void add_create_command(CLI::App& app);
void add_list_command(CLI::App& app);
void add_verify_command(CLI::App& app);
void add_restore_command(CLI::App& app);
void add_key_command(CLI::App& app);

void add_key_option(CLI::App& command, std::string& key);
// The key, or Exit.
Key find_key(const std::string& file);

std::string show_bytes(std::uint64_t bytes);

}  // namespace rltune::backup
