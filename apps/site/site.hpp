// What the verbs of `rltune site` share.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "rltune/base/error.hpp"
#include "rltune/config/site.hpp"

namespace rltune::site {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;

// Thrown by a command that does not end with kDone.
struct Exit {
  int status = kDone;
};

// Says it on stderr and throws Exit.
[[noreturn]] void stop(int status, const std::string& message);
[[noreturn]] void stop(const Error& error);

// The site, or Exit with every fault of its file.
config::Site load(const std::filesystem::path& file);

// Asks a person at a terminal; without one --yes is needed. Throws Exit when the answer is no.
void confirm(const std::string& question, bool yes);

void add_check_commands(CLI::App& app);
void add_init_command(CLI::App& app);
void add_control_commands(CLI::App& app);
void add_storage_command(CLI::App& app);

}  // namespace rltune::site
