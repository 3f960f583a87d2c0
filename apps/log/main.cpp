// rltune-log serves the noun log: what a site's roles have logged, and at which level they do.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <format>
#include <nlohmann/json.hpp>
#include <optional>
#include <print>

#include "command.hpp"
#include "rltune/base/log.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/operations.pb.h"
#include "rltune/v1/supervision.pb.h"
#include "search_commands.hpp"

namespace {

using namespace rltune;
using command::kFailed;
using command::kWrongUsage;
using command::stop;

constexpr const char* kExamples =
    "Examples:\n"
    "  rltune log level site.yaml                       every role's level\n"
    "  rltune log level site.yaml io debug              more of io, at once\n"
    "  rltune log level site.yaml agent.climate info    back\n"
    "  rltune log level site.yaml all warning\n"
    "\nLevels: debug, info, warning, error, critical. One that is set here lasts until the role is started again\n"
    "or telemetry.yaml of the site changes: `level` and `levels` there are for good.";

struct Options {
  std::filesystem::path file, run_folder;
  std::string role = "all", level;
  double timeout_s = 5.0;
  bool json = false;
};

class Site {
 public:
  explicit Site(const Options& options) : options_(options) {
    const auto beside = std::filesystem::absolute(options.file).parent_path() / ".rltune";
    const auto folder = options.run_folder.empty() ? beside : std::filesystem::absolute(options.run_folder);
    auto client = bus::Client::connect(bus::call_endpoint(folder.string(), "coredinator"));
    if (!client) stop(client.error());
    client_.emplace(std::move(*client));
  }

  std::vector<std::string> roles() {
    const auto answer =
        client_->call<v1::RolesAnswer>("coredinator.Roles", "coredinator", v1::RolesRequest(), patience());
    if (!answer)
      stop(kFailed, std::format("{}; is the site running? Start it with: rltune up {}", answer.error().message,
                                options_.file.string()));
    std::vector<std::string> names{"coredinator"};
    for (const v1::RoleState& role : answer->roles()) names.push_back(role.name());
    return names;
  }

  Result<v1::LogLevelAnswer> level(const std::string& role) {
    v1::LogLevelRequest request;
    request.set_level(options_.level);
    request.set_user(command::user_name());
    return client_->call<v1::LogLevelAnswer>(role.substr(0, role.find('.')) + ".LogLevel", role, request, patience());
  }

 private:
  std::chrono::milliseconds patience() const {
    return std::chrono::milliseconds(static_cast<std::int64_t>(1e3 * options_.timeout_s));
  }
  const Options& options_;
  std::optional<bus::Client> client_;
};

// A role by its name, an agent by its id, or all of them.
std::vector<std::string> chosen(const std::vector<std::string>& roles, const std::string& wanted) {
  if (wanted == "all") return roles;
  std::string known = "all";
  for (const std::string& role : roles) {
    if (role == wanted || role == "agent." + wanted) return {role};
    known += ", " + role;
  }
  stop(kWrongUsage, std::format("no role '{}'; there are {}", wanted, known));
}

void level(const Options& options) {
  if (!options.level.empty())
    if (const auto known = log::parse_level(options.level); !known) stop(kWrongUsage, known.error().message);
  Site site(options);
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  std::string silent;
  for (const std::string& role : chosen(site.roles(), options.role)) {
    const auto answer = site.level(role);
    if (!answer) {
      silent += std::format("{}{}: {}", silent.empty() ? "" : "; ", role, answer.error().message);
      continue;
    }
    out[role] = {{"level", answer->level()}, {"was", answer->was()}};
    const bool changed = answer->level() != answer->was();
    if (!options.json)
      std::println("{:<20} {}{}", role, answer->level(), changed ? std::format(" (was {})", answer->was()) : "");
  }
  if (options.json) std::println("{}", nlohmann::ordered_json{{"roles", out}}.dump(2));
  if (!silent.empty()) stop(kFailed, silent);
}

}  // namespace

int main(int argc, char** argv) {
  log::start("log");
  CLI::App app{"What the roles of a site log.", "rltune log"};
  app.require_subcommand(1);
  log_app::add_search_command(app);
  log_app::add_follow_command(app);
  log_app::add_export_command(app);
  Options options;
  CLI::App& verb = *app.add_subcommand("level", "Show or change a role's log level while it runs")->footer(kExamples);
  verb.add_option("file", options.file, "The site's file")->required()->check(CLI::ExistingFile);
  verb.add_option("role", options.role, "A role (io, agent.ID, learner.ID, coredinator), an agent's id, or all");
  verb.add_option("level", options.level, "debug, info, warning, error or critical; without it the level is shown");
  verb.add_option("--run-folder", options.run_folder,
                  "Where `rltune up` put the sockets; by default .rltune beside it");
  verb.add_option("--timeout", options.timeout_s, "Longest wait for an answer, seconds")
      ->check(CLI::Range(0.01, 600.0))
      ->capture_default_str();
  verb.add_flag("--json", options.json, "One JSON object on stdout");
  verb.callback([&] { level(options); });
  return command::run(app, argc, argv);
}
