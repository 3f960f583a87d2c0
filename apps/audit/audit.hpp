// What the two commands share.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "command.hpp"
#include "rltune/historian/decision_log.hpp"

namespace rltune::audit {

using command::Exit;
using command::kDone;
using command::kFailed;
using command::kWrongUsage;
using command::stop;

// Which decisions: options of both commands.
struct Selection {
  std::string data, from, to, agent, origin, after;
};
void add_selection_options(CLI::App& command, Selection& selection);

void add_show_command(CLI::App& app);
void add_replay_command(CLI::App& app);
void add_verify_command(CLI::App& app);
void add_log_command(CLI::App& app);
void add_heads_command(CLI::App& app);

// Throws Exit{kWrongUsage} naming the option.
TimePoint parse_time(const std::string& text, const char* option, TimePoint otherwise);

// DATA/audit, or DATA itself.
std::filesystem::path audit_folder(const std::string& data);
// Whoever reads decisions stands on record with what they asked for.
void record_access(const std::string& data, const std::string& action, const std::string& target,
                   const Selection& selection);

// The folder with the decisions' files: DATA/decisions, or DATA itself.
std::filesystem::path decision_folder(const std::string& data);

// Calls `visit` for each selected decision, ascending by time, until it returns false. Throws Exit.
void walk(const Selection& selection, const std::function<bool(const historian::Decision&)>& visit);

// `whole`: with observation, network output and previous inputs.
nlohmann::ordered_json to_json(const historian::Decision& decision, bool whole);
void print_text(const historian::Decision& decision);

}  // namespace rltune::audit
