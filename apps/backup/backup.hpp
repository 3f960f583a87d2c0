// What the verbs of `rltune backup` share.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "command.hpp"
#include "rltune/backup/backup.hpp"
#include "rltune/backup/offsite.hpp"

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
void add_copy_command(CLI::App& app);

void add_key_option(CLI::App& command, std::string& key);
// The key, or Exit. Who waits for `progress` is told.
Key find_key(const std::string& file, const std::filesystem::path& progress = {});

void add_progress_option(CLI::App& command, std::filesystem::path& file);

void add_offsite_options(CLI::App& command, OffsiteOptions& options);
// The place, or Exit.
std::unique_ptr<Offsite> find_offsite(const OffsiteOptions& options);

// "6h", "30m", "1d", "90s", or Exit, naming the option.
Duration parse_span(const std::string& option, const std::string& text);

std::string show_bytes(std::uint64_t bytes);

}  // namespace rltune::backup
