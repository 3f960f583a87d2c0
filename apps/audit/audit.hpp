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

void add_show_command(CLI::App& app);
void add_replay_command(CLI::App& app);

// Which decisions: options of both commands.
struct Selection {
  std::string data, from, to, agent, origin, after;
};
void add_selection_options(CLI::App& command, Selection& selection);

// The folder with the decisions' files: DATA/decisions, or DATA itself.
std::filesystem::path decision_folder(const std::string& data);

// Calls `visit` for each selected decision, ascending by time, until it returns false. Throws Exit.
void walk(const Selection& selection, const std::function<bool(const historian::Decision&)>& visit);

// `whole`: with observation, network output and previous inputs.
nlohmann::ordered_json to_json(const historian::Decision& decision, bool whole);
void print_text(const historian::Decision& decision);

}  // namespace rltune::audit
