// What the verbs of `rltune config` share.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "command.hpp"
#include "rltune/config/change.hpp"
#include "rltune/configstore/store.hpp"

namespace rltune::config_command {

using command::counted;
using command::Exit;
using command::kFailed;
using command::kWrongUsage;
using command::stop;
using nlohmann::ordered_json;

template <typename T>
T or_stop(Result<T> result) {
  if (!result) stop(result.error());
  return std::move(*result);
}

// Every fault of a file, on stderr or as {"valid": false, "faults": [...]}, then Exit.
[[noreturn]] void refuse(const std::string& file, const std::vector<config::Fault>& faults, bool json);
ordered_json to_json(const std::string& file, const std::vector<config::Fault>& faults);
ordered_json to_json(const std::vector<config::Change>& changes);
ordered_json to_json(const configstore::Version& version);
// "agents[climate].period_s: 60 -> 30    restarts io", a line each.
void print(const std::vector<config::Change>& changes);

void add_file_commands(CLI::App& app);
void add_apply_command(CLI::App& app);
void add_version_commands(CLI::App& app);

}  // namespace rltune::config_command
