// rltune NOUN VERB ...: finds the executable that serves the noun beside itself and becomes it, as git
// does. So a role links only what it needs, and the command line is one.
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <print>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/version.hpp"

namespace {

struct Command {
  std::string_view noun;
  std::string_view executable;  // in the folder of this one
  bool keeps_noun;              // the executable serves several nouns
  std::string_view summary;
};

constexpr std::array kCommands{
    Command{"demo", "rltune-demo", false, "the whole story in one run, with a report"},
    Command{"plant", "rltune-lab", true, "plants and their twins' models: list, show"},
    Command{"policy", "rltune-lab", true, "train, evaluate, show policies, hyperparameters"},
    Command{"run", "rltune-lab", true, "training runs: list, show, compare, plot, sweep, explain"},
    Command{"controller", "rltune-lab", true, "classical controllers: list, tune, autotune"},
    Command{"dataset", "rltune-lab", true, "data to learn from: import, show, record"},
    Command{"twin", "rltune-twin", false, "serve a plant's twin over OPC UA"},
    Command{"site", "rltune-site", false, "a site: init, check, mode, write, hold, status, storage"},
    Command{"config", "rltune-config", false, "configuration: check, apply, history, diff, restore, migrate, schema"},
    Command{"agent", "rltune-fleet", true, "agents of a running site: list, show, start, stop"},
    Command{"version", "rltune-fleet", true,
            "versions of an agent: list, show, deploy, promote, rollback, pause, resume"},
    Command{"audit", "rltune-audit", false, "decisions: show, replay; who did what: log, verify, heads"},
    Command{"log", "rltune-log", false, "what a site's roles log: search, follow, export, level"},
    Command{"telemetry", "rltune-telemetry", true, "what is kept and forwarded: status, receive"},
    Command{"alert", "rltune-telemetry", true, "what calls for a person: list, acknowledge, test"},
    Command{"user", "rltune-gateway", false, "who may sign in at a site: invite, secret"},
    Command{"api", "rltune-api", false, "calls through a site's gateway: login, list, call, typescript"},
    Command{"backup", "rltune-backup", false, "a running site in one file: create, verify, restore"},
    Command{"upgrade", "rltune-upgrade", false, "the product itself: check, apply, rollback, status"},
    Command{"up", "rltune-up", false, "run a site: every role under the keeper"},
};

void usage(std::FILE* out) {
  std::println(out, "rltune: reinforcement learning that runs a real plant\n\nUsage: rltune <noun> <verb> [options]\n");
  for (const Command& command : kCommands) std::println(out, "  {:<11} {}", command.noun, command.summary);
  std::println(
      out,
      "\nExamples:\n  rltune plant show lettuce\n  rltune policy train --plant lettuce --out policies/lettuce\n"
      "  rltune policy evaluate --plant lettuce --controller policies/lettuce --json\n"
      "\n'rltune <noun> --help' says more. Exit status: 0 done, 1 failed, 2 wrong usage.");
}

int become(const Command& command, int argc, char** argv) {
  std::error_code code;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", code);
  const std::string path = (self.parent_path() / command.executable).string();
  std::vector<char*> arguments{const_cast<char*>(path.c_str())};
  for (int i = command.keeps_noun ? 1 : 2; i < argc; ++i) arguments.push_back(argv[i]);
  arguments.push_back(nullptr);
  ::execv(path.c_str(), arguments.data());
  std::println(stderr, "rltune: cannot start {}: {}", path, std::strerror(errno));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    usage(stderr);
    return 2;
  }
  const std::string_view noun = argv[1];
  if (noun == "--help" || noun == "-h" || noun == "help") {
    usage(stdout);
    return 0;
  }
  if (noun == "--version") {
    std::println("rltune {}", rltune::version());
    return 0;
  }
  for (const Command& command : kCommands)
    if (command.noun == noun) return become(command, argc, argv);
  std::println(stderr, "rltune: unknown noun '{}'", noun);
  usage(stderr);
  return 2;
}
