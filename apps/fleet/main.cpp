// rltune-fleet serves the nouns agent and version: what runs on a site, and which version of it.
#include <format>
#include <print>

#include "fleet.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/time.hpp"

namespace rltune::fleet {

Coredinator::Coredinator(const Common& common)
    : file_(common.file.string()), timeout_(static_cast<std::int64_t>(common.timeout_s * 1e3)) {
  const auto beside = std::filesystem::absolute(common.file).parent_path() / ".rltune";
  const auto folder = common.run_folder.empty() ? beside : std::filesystem::absolute(common.run_folder);
  endpoint_ = bus::call_endpoint(folder.string(), "coredinator");
  auto client = bus::Client::connect(endpoint_);
  if (!client) stop(client.error());
  client_.emplace(std::move(*client));
}

void Coredinator::give_up(const Error& error) const {
  if (error.code == Errc::timeout || error.code == Errc::disconnected)
    stop(kFailed, std::format("no answer at {}; is the site running? Start it with: rltune up {}", endpoint_, file_));
  stop(error.code == Errc::not_found || error.code == Errc::invalid_argument ? kWrongUsage : kFailed, error.message);
}

std::string time_text(std::int64_t unix_ns) { return format_rfc3339(TimePoint(Duration(unix_ns))); }

v1::AgentsAnswer ask_agent(const Common& common, std::uint32_t history) {
  v1::AgentsRequest request;
  request.set_agent(common.agent);
  request.set_history(history);
  return Coredinator(common).call<v1::AgentsAnswer>("coredinator.Agents", request);
}

nlohmann::ordered_json to_json(const v1::VersionInfo& version) {
  nlohmann::ordered_json out{{"version", version.version()},
                             {"state", version.state()},
                             {"reason", version.reason()},
                             {"paused", version.paused()},
                             {"canary_percent", version.canary_percent()},
                             {"created", time_text(version.created_unix_ns())},
                             {"changed", time_text(version.changed_unix_ns())}};
  out["artifact_sha256"] = version.artifact_sha256().empty() ? nlohmann::ordered_json(nullptr)
                                                             : nlohmann::ordered_json(version.artifact_sha256());
  const v1::Traffic& traffic = version.traffic();
  out["traffic"] = {
      {"evaluation_seasons", traffic.evaluation_seasons()},
      {"shadow_s", traffic.shadow_s()},
      {"shadow_proposals", traffic.shadow_proposals()},
      {"canary_percent", std::vector<double>(traffic.canary_percent().begin(), traffic.canary_percent().end())},
      {"canary_s", traffic.canary_s()},
      {"probation_s", traffic.probation_s()},
      {"hold", traffic.hold()},
      {"latency_max_s", traffic.latency_max_s()},
      {"memory_max_mib", traffic.memory_max_mib()},
      {"objective_drop", traffic.has_objective_drop() ? nlohmann::ordered_json(traffic.objective_drop())
                                                      : nlohmann::ordered_json(nullptr)}};
  out["instance"] = nullptr;
  if (const v1::RoleState& role = version.instance(); !role.name().empty())
    out["instance"] = {{"role", role.name()},
                       {"pid", role.pid()},
                       {"state", role.state()},
                       {"restarts", role.restarts()},
                       {"reason", role.reason()}};
  return out;
}

nlohmann::ordered_json to_json(const v1::AgentInfo& agent) {
  nlohmann::ordered_json out{{"agent", agent.id()},
                             {"desired", agent.running() ? "running" : "stopped"},
                             {"active", agent.active()},
                             {"in_force", agent.in_force()},
                             {"epoch", agent.epoch()}};
  out["versions"] = nlohmann::ordered_json::array();
  for (const v1::VersionInfo& version : agent.versions()) out["versions"].push_back(to_json(version));
  return out;
}

void print_versions(const v1::AgentInfo& agent) {
  std::println("{:<16} {:<12} {:<10} {:<21} {}", "version", "state", "instance", "since", "because");
  for (const v1::VersionInfo& version : agent.versions()) {
    std::string state = version.state() + (version.paused() ? ", paused" : "");
    if (version.canary_percent() > 0.0) state += std::format(" {:g} %", version.canary_percent());
    std::println("{:<16} {:<12} {:<10} {:.19}Z  {}", version.version(), state,
                 version.instance().name().empty() ? "-" : version.instance().state(),
                 time_text(version.changed_unix_ns()), version.reason());
  }
}

CLI::App& add_verb(CLI::App& noun, const std::string& verb, const std::string& about, Common& common) {
  CLI::App& command = *noun.add_subcommand(verb, about);
  command.add_option("file", common.file, "The site's file")->required()->check(CLI::ExistingFile);
  command.add_option("--run-folder", common.run_folder,
                     "Where `rltune up` put the sockets; by default .rltune beside the file");
  command.add_option("--timeout", common.timeout_s, "Longest wait for an answer, seconds")
      ->check(CLI::Range(0.01, 600.0))
      ->capture_default_str();
  command.add_flag("--json", common.json, "One JSON object on stdout");
  return command;
}

void add_agent(CLI::App& verb, Common& common) { verb.add_option("agent", common.agent, "The agent's id")->required(); }

void add_change(CLI::App& verb, Common& common) {
  verb.add_option("--reason", common.reason, "Why, for the record")->type_name("TEXT");
  verb.add_flag("-y,--yes", common.yes, "Do not ask");
}

}  // namespace rltune::fleet

int main(int argc, char** argv) {
  using namespace rltune::fleet;
  rltune::log::start("fleet");
  CLI::App app{"The agents of a running site and their versions.", "rltune"};
  app.require_subcommand(1);
  add_agent_commands(app);
  add_version_commands(app);
  app.footer("Exit status: 0 done, 1 failed, 2 wrong usage.");
  return rltune::command::run(app, argc, argv);
}
