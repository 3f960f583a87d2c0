// What the laboratory's commands share. A command is a file: it adds its verb to its noun and, when chosen, runs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "command.hpp"

namespace rltune::lab {

using command::counted;
using command::Exit;
using command::kDone;
using command::kFailed;
using command::kWrongUsage;
using command::parse_settings;

// Each function adds verbs to their noun.
void add_plant_commands(CLI::App& plant);
void add_policy_train_command(CLI::App& policy);
void add_policy_evaluate_command(CLI::App& policy);
void add_policy_show_command(CLI::App& policy);
void add_policy_import_command(CLI::App& policy);
void add_policy_hyperparameters_command(CLI::App& policy);
void add_controller_commands(CLI::App& controller);
void add_dataset_import_command(CLI::App& dataset);
void add_dataset_show_command(CLI::App& dataset);
void add_dataset_record_command(CLI::App& dataset);

// --set name=value, repeated: adds the option to a command.
void add_set_option(CLI::App& command, std::vector<std::string>& settings);

// Says the error on stderr and throws Exit: a name or value that the user gave wrongly is wrong usage
// (not_found, invalid_argument), everything else a failure.
[[noreturn]] void stop(const Error& error);
// The same where the status is known.
[[noreturn]] void stop(int status, const std::string& message);

template <typename T>
T or_stop(Result<T> result) {
  if (!result) stop(result.error());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// Prints exactly one JSON object on stdout.
void print_json(const nlohmann::ordered_json& object);

}  // namespace rltune::lab
