// What the nouns of the command line share: exit statuses, a way to stop from anywhere, and the frame of main().
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::command {

// Exit statuses of every command.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;

// A verb's callback does the work, and throws this where it does not end with kDone.
struct Exit {
  int status = kDone;
};

// Says it on stderr and throws Exit.
[[noreturn]] void stop(int status, const std::string& message);
[[noreturn]] void stop(const Error& error);

// A standard stream that we were started without leads nowhere from now on, instead of into the first file that is
// opened: what is printed would stand among a run's metrics.
void hold_standard_streams();

// Holds the standard streams, parses the arguments, which runs the chosen verb, and returns the status to exit with.
int run(CLI::App& app, int argc, char** argv);

// Asks a person at a terminal; without one --yes is needed. Throws Exit when the answer is no.
void confirm(const std::string& question, bool yes);

// NAME=VALUE, repeated, as a map. Throws Exit{kWrongUsage} after saying what is wrong.
std::map<std::string, double> parse_settings(const std::vector<std::string>& settings,
                                             std::string_view option = "--set");

// Who runs this command, by the operating system.
std::string user_name();

// Of this command, the same for everything that it asks: the site's records and logs of that carry it.
const std::string& correlation_id();

// "1 season", "20 seasons".
std::string counted(std::size_t number, std::string_view what);

}  // namespace rltune::command
