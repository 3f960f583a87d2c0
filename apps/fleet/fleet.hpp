// What the verbs of `rltune agent` and `rltune version` share.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "command.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/supervision.pb.h"

namespace rltune::fleet {

using command::confirm;
using command::kFailed;
using command::kWrongUsage;
using command::stop;
using command::user_name;

struct Common {
  std::filesystem::path file, run_folder;
  std::string agent, reason;
  double timeout_s = 5.0;
  bool yes = false, json = false;
};

// Coredinator of the site of a file: `rltune up` puts its sockets beside the file.
class Coredinator {
 public:
  explicit Coredinator(const Common& common);

  // Throws Exit after saying what is wrong.
  template <typename Answer, typename Request>
  Answer call(const std::string& method, const Request& request) {
    auto answer = client_->call<Answer>(method, "coredinator", request, timeout_, command::correlation_id());
    if (!answer) give_up(answer.error());
    return std::move(*answer);
  }

 private:
  [[noreturn]] void give_up(const Error& error) const;

  std::string file_, endpoint_;
  std::chrono::milliseconds timeout_;
  std::optional<bus::Client> client_;
};

// The agent, and so many of its newest transitions.
v1::AgentsAnswer ask_agent(const Common& common, std::uint32_t history);
nlohmann::ordered_json to_json(const v1::AgentInfo& agent);
nlohmann::ordered_json to_json(const v1::VersionInfo& version);
std::string time_text(std::int64_t unix_ns);
void print_versions(const v1::AgentInfo& agent);

CLI::App& add_verb(CLI::App& noun, const std::string& verb, const std::string& about, Common& common);
void add_agent(CLI::App& verb, Common& common);
void add_change(CLI::App& verb, Common& common);  // --yes and --reason

void add_agent_commands(CLI::App& app);
void add_version_commands(CLI::App& app);

}  // namespace rltune::fleet
