// rltune version list|show|deploy|promote|rollback|pause|resume FILE AGENT [VERSION]
#include <format>
#include <print>

#include "fleet.hpp"

namespace rltune::fleet {
namespace {

using nlohmann::ordered_json;

constexpr std::uint32_t kHistory = 200;

struct Options : Common {
  std::string version;
  std::filesystem::path folder;
  std::uint32_t evaluation_seasons = 10;
  double shadow_s = 60.0, canary_s = 60.0, probation_s = 600.0;
  std::uint32_t proposals = 20;
  std::vector<double> canary = {10.0, 50.0};
  double latency_max_s = 0.0, memory_max_mib = 1024.0;
  std::optional<double> objective_drop;
  bool hold = false, no_canary = false;
};

void list(const Options& options) {
  const v1::AgentsAnswer answer = ask_agent(options, 0);
  if (options.json) return std::println("{}", to_json(answer.agents(0)).dump(2));
  print_versions(answer.agents(0));
}

const v1::VersionInfo& version_of(const v1::AgentInfo& agent, const std::string& name) {
  std::string names;
  for (const v1::VersionInfo& version : agent.versions()) {
    if (version.version() == name) return version;
    names += (names.empty() ? "" : ", ") + version.version();
  }
  stop(kWrongUsage, std::format("agent {} has no version '{}'; there are {}", agent.id(), name, names));
}

void show(const Options& options) {
  const v1::AgentsAnswer answer = ask_agent(options, kHistory);
  const v1::VersionInfo& version = version_of(answer.agents(0), options.version);
  ordered_json out = to_json(version);
  out["history"] = ordered_json::array();
  if (!options.json) {
    std::println("{} {} of {}: {}{}\n", version.version(), version.state(), options.agent, version.reason(),
                 version.paused() ? " (paused)" : "");
    if (!version.artifact_sha256().empty()) std::println("artifact  {}", version.artifact_sha256());
    std::println("{:<21} {:<11} {:<11} {:>5}  {:<12} {}", "time", "from", "to", "epoch", "by", "because");
  }
  for (const v1::HistoryInfo& entry : answer.history()) {
    if (entry.version() != options.version) continue;
    out["history"].push_back({{"time", time_text(entry.unix_ns())},
                              {"from", entry.from()},
                              {"to", entry.to()},
                              {"epoch", entry.epoch()},
                              {"user", entry.user()},
                              {"reason", entry.reason()}});
    if (!options.json)
      std::println("{:.19}Z  {:<11} {:<11} {:>5}  {:<12} {}", time_text(entry.unix_ns()), entry.from(), entry.to(),
                   entry.epoch(), entry.user(), entry.reason());
  }
  if (options.json) std::println("{}", out.dump(2));
}

void deploy(const Options& options) {
  confirm(std::format("Version {} of {} will be tested beside the active one and {}. Go on?", options.version,
                      options.agent,
                      options.hold ? "wait for 'rltune version promote'" : "then control the plant by itself"),
          options.yes);
  v1::DeployRequest request;
  request.set_agent(options.agent);
  request.set_version(options.version);
  request.set_folder(std::filesystem::absolute(options.folder).string());
  request.set_user(user_name());
  request.set_reason(options.reason);
  v1::Traffic& traffic = *request.mutable_traffic();
  traffic.set_evaluation_seasons(options.evaluation_seasons);
  traffic.set_shadow_s(options.shadow_s);
  traffic.set_shadow_proposals(options.proposals);
  if (!options.no_canary) traffic.mutable_canary_percent()->Assign(options.canary.begin(), options.canary.end());
  traffic.set_canary_s(options.canary_s);
  traffic.set_probation_s(options.probation_s);
  traffic.set_hold(options.hold);
  traffic.set_latency_max_s(options.latency_max_s);
  traffic.set_memory_max_mib(options.memory_max_mib);
  if (options.objective_drop) traffic.set_objective_drop(*options.objective_drop);
  const auto agent = Coredinator(options).call<v1::AgentInfo>("coredinator.Deploy", request);
  if (options.json) return std::println("{}", to_json(version_of(agent, options.version)).dump(2));
  std::println("{} {} of {}. Follow it with: rltune version list {} {}", options.version,
               version_of(agent, options.version).state(), options.agent, options.file.string(), options.agent);
}

void send(const Options& options, const std::string& verb) {
  v1::VersionOrder order;
  order.set_agent(options.agent);
  order.set_version(options.version);
  order.set_verb(verb);
  order.set_user(user_name());
  order.set_reason(options.reason);
  const auto agent = Coredinator(options).call<v1::AgentInfo>("coredinator.OrderVersion", order);
  if (options.json) return std::println("{}", to_json(agent).dump(2));
  std::println("{}: {} is active\n", agent.id(), agent.active());
  print_versions(agent);
}

void promote(const Options& options) {
  confirm(std::format("Version {} of {} will control the plant from now on. Go on?", options.version, options.agent),
          options.yes);
  send(options, "promote");
}

void rollback(const Options& options) {
  confirm(options.version.empty() ? std::format("The last change of {}'s version will be undone. Go on?", options.agent)
                                  : std::format("Version {} of {} will not act or be tested any more. Go on?",
                                                options.version, options.agent),
          options.yes);
  send(options, "rollback");
}

void pause(const Options& options) { send(options, "pause"); }
void resume(const Options& options) { send(options, "resume"); }

CLI::App& add(CLI::App& noun, const std::string& verb, const std::string& about,
              const std::shared_ptr<Options>& options, void (*run)(const Options&)) {
  CLI::App& command = add_verb(noun, verb, about, *options);
  add_agent(command, *options);
  command.callback([options, run] { run(*options); });
  return command;
}

void add_deploy(CLI::App& noun) {
  auto options = std::make_shared<Options>();
  CLI::App& verb = add(noun, "deploy", "Store a policy as a new version and begin its tests", options, deploy);
  verb.add_option("folder", options->folder, "The policy's artifact, as 'rltune policy train' wrote it")
      ->required()
      ->check(CLI::ExistingDirectory);
  verb.add_option("--version", options->version, "Its semantic version, such as 1.2.0")->required();
  verb.add_option("--evaluation", options->evaluation_seasons,
                  "Seasons on the twin against the active version, behind the site's guard; 0: none")
      ->capture_default_str();
  verb.add_option("--shadow", options->shadow_s, "Seconds in shadow, at least")->capture_default_str();
  verb.add_option("--proposals", options->proposals, "Proposals in shadow, at least")->capture_default_str();
  verb.add_option("--canary", options->canary, "Percent of the calls, step by step")
      ->delimiter(',')
      ->capture_default_str();
  verb.add_flag("--no-canary", options->no_canary, "From shadow to active at once");
  verb.add_option("--canary-span", options->canary_s, "Seconds a step of the canary")->capture_default_str();
  verb.add_option("--probation", options->probation_s, "Seconds that its predecessor stands by")->capture_default_str();
  verb.add_flag("--hold", options->hold, "Become active only when promoted");
  verb.add_option("--latency-max", options->latency_max_s,
                  "Seconds that half of its decisions may take; by default half of the agent's period, at most 1");
  verb.add_option("--memory-max", options->memory_max_mib, "MiB that its process may take")->capture_default_str();
  verb.add_option("--objective-drop", options->objective_drop,
                  "How far its mean reward a decision may lie below its predecessor's; by default it is not judged");
  add_change(verb, *options);
  verb.footer(
      "The version is stored, started, evaluated on the twin, tested in shadow and in canary, made active, and rolled "
      "back by itself when\n"
      "it dies, hangs, is slow, takes too much memory, wants what the guard would change, or earns less than asked.\n"
      "Examples:\n  rltune version deploy site.yaml climate policies/new --version 1.3.0\n"
      "  rltune version deploy site.yaml climate policies/new --version 1.3.0 --shadow 86400 --hold --yes");
}

}  // namespace

void add_version_commands(CLI::App& app) {
  CLI::App& noun = *app.add_subcommand("version", "The versions of an agent");
  noun.require_subcommand(1);
  add(noun, "list", "Every version and where it stands", std::make_shared<Options>(), list)
      .footer("Example:\n  rltune version list site.yaml climate");
  auto options = std::make_shared<Options>();
  CLI::App& show_verb = add(noun, "show", "One version with its history", options, show);
  show_verb.add_option("version", options->version, "The version")->required();
  show_verb.footer("Example:\n  rltune version show site.yaml climate 1.3.0");
  add_deploy(noun);
  options = std::make_shared<Options>();
  CLI::App& promote_verb = add(noun, "promote", "Make a version in test the active one now", options, promote);
  promote_verb.add_option("version", options->version, "The version")->required();
  add_change(promote_verb, *options);
  promote_verb.footer("Example:\n  rltune version promote site.yaml climate 1.3.0 --yes --reason 'a week in shadow'");
  options = std::make_shared<Options>();
  CLI::App& rollback_verb = add(noun, "rollback", "Undo the last change, or withdraw one version", options, rollback);
  rollback_verb.add_option("version", options->version,
                           "The version to withdraw; without it the last change is undone");
  add_change(rollback_verb, *options);
  rollback_verb.footer(
      "It never waits for a test.\nExamples:\n  rltune version rollback site.yaml climate --yes\n"
      "  rltune version rollback site.yaml climate 1.3.0 --yes --reason 'wastes gas'");
  for (const auto& [verb, about, run] :
       {std::tuple{"pause", "Keep a version in its stage", &pause}, std::tuple{"resume", "Let it go on", &resume}}) {
    options = std::make_shared<Options>();
    CLI::App& command = add(noun, verb, about, options, run);
    command.add_option("version", options->version, "The version")->required();
    command.add_option("--reason", options->reason, "Why, for the record")->type_name("TEXT");
    command.footer(
        std::format("It is judged all the same, and rolled back when it must be.\nExample:\n  rltune version "
                    "{} site.yaml climate 1.3.0",
                    verb));
  }
}

}  // namespace rltune::fleet
