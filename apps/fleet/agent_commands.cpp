// rltune agent list|show|start|stop FILE [AGENT]
#include <format>
#include <print>

#include "fleet.hpp"

namespace rltune::fleet {
namespace {

using nlohmann::ordered_json;

std::string state_of(const v1::AgentInfo& agent) {
  for (const v1::VersionInfo& version : agent.versions())
    if (version.version() == agent.active() && !version.instance().name().empty()) return version.instance().state();
  return agent.running() ? "starting" : "stopped";
}

std::string in_test(const v1::AgentInfo& agent) {
  std::string text;
  for (const v1::VersionInfo& version : agent.versions())
    if (const std::string& state = version.state();
        state == "staged" || state == "validating" || state == "shadow" || state == "canary" || state == "standby")
      text += std::format("{}{} {}", text.empty() ? "" : ", ", version.version(), state);
  return text;
}

void list(const Common& common) {
  const auto answer = Coredinator(common).call<v1::AgentsAnswer>("coredinator.Agents", v1::AgentsRequest());
  if (common.json) {
    ordered_json out{{"agents", ordered_json::array()}};
    for (const v1::AgentInfo& agent : answer.agents()) out["agents"].push_back(to_json(agent));
    return std::println("{}", out.dump(2));
  }
  std::println("{:<16} {:<10} {:<10} {:<16} {}", "agent", "desired", "state", "active", "beside it");
  for (const v1::AgentInfo& agent : answer.agents())
    std::println("{:<16} {:<10} {:<10} {:<16} {}", agent.id(), agent.running() ? "running" : "stopped", state_of(agent),
                 agent.active() + (agent.in_force() ? "" : " (io not told)"), in_test(agent));
}

void show(const Common& common) {
  const v1::AgentsAnswer answer = ask_agent(common, 0);
  const v1::AgentInfo& agent = answer.agents(0);
  if (common.json) return std::println("{}", to_json(agent).dump(2));
  std::println("{:<12} {}", "agent", agent.id());
  std::println("{:<12} {}", "desired", agent.running() ? "running" : "stopped");
  std::println("{:<12} {}", "state", state_of(agent));
  std::println("{:<12} {}{}", "active", agent.active(), agent.in_force() ? "" : "; io has not confirmed it");
  std::println("{:<12} {}\n", "epoch", agent.epoch());
  print_versions(agent);
}

void send(const Common& common, const std::string& verb) {
  v1::AgentOrder order;
  order.set_agent(common.agent);
  order.set_verb(verb);
  order.set_user(user_name());
  order.set_reason(common.reason);
  const auto agent = Coredinator(common).call<v1::AgentInfo>("coredinator.OrderAgent", order);
  if (common.json) return std::println("{}", to_json(agent).dump(2));
  std::println("{} is {}", agent.id(), verb == "start" ? "to run" : "to stand still");
}

void start(const Common& common) {
  confirm(std::format("Agent {} will decide again, and write in automatic mode. Go on?", common.agent), common.yes);
  send(common, "start");
}

void stop_agent(const Common& common) {
  confirm(
      std::format("Agent {} will decide nothing: its outputs are held, then its fallback runs. Go on?", common.agent),
      common.yes);
  send(common, "stop");
}

CLI::App& add(CLI::App& noun, const std::string& verb, const std::string& about, void (*run)(const Common&),
              bool of_one) {
  auto common = std::make_shared<Common>();
  CLI::App& command = add_verb(noun, verb, about, *common);
  if (of_one) add_agent(command, *common);
  if (run == start || run == stop_agent) add_change(command, *common);
  command.callback([common, run] { run(*common); });
  return command;
}

}  // namespace

void add_agent_commands(CLI::App& app) {
  CLI::App& noun = *app.add_subcommand("agent", "The agents of a running site");
  noun.require_subcommand(1);
  add(noun, "list", "Every agent, what it is meant to do and what it does", list, false)
      .footer("Examples:\n  rltune agent list site.yaml\n  rltune agent list site.yaml --json");
  add(noun, "show", "One agent with its versions", show, true)
      .footer("Example:\n  rltune agent show site.yaml climate");
  add(noun, "start", "Let an agent run again", start, true)
      .footer("Example:\n  rltune agent start site.yaml climate --yes --reason 'the valve is repaired'");
  add(noun, "stop", "Stop an agent, across restarts, until it is started", stop_agent, true)
      .footer(
          "Its outputs are held, then its fallback controller runs. To stop every write at once: rltune site hold.\n"
          "Example:\n  rltune agent stop site.yaml climate --yes --reason 'service of the boiler'");
}

}  // namespace rltune::fleet
