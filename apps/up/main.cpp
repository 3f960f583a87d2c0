// rltune up SITE: the keeper, and with it every role of a site. When it is asked to start again it becomes the program
// that is current by then, as the same process; one that does not get ready becomes the program before it again.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <print>

#include "rltune/base/log.hpp"
#include "rltune/base/version.hpp"
#include "rltune/keeper/keeper.hpp"

namespace {

namespace fs = std::filesystem;

constexpr const char* kExamples =
    "Examples:\n"
    "  rltune up site.yaml                       run until SIGTERM or Ctrl-C\n"
    "  rltune up site.yaml --run-folder /run/rltune/north --json\n"
    "\nThe roles' lines go to stderr and to logs/<role>.log in the run folder, or to LOGS_DIRECTORY, as systemd gives\n"
    "it; how much of them is kept, retention.yaml says. Ctrl-C stops everything in\n"
    "order; a second one kills. Exit status: 0 stopped as asked, 1 failed, 2 wrong usage.";

struct Arguments {
  fs::path site, run_folder;
  bool json = false;
  // How a keeper hands over to the next one; every version has to take these.
  fs::path took_over_from;  // the folder of the programs before; empty: nobody
  double ready_within_s = 0.0;
};

// What the keeper takes out of the environment belongs to its successor.
class ServiceEnvironment {
 public:
  ServiceEnvironment() {
    for (const char* name : kNames)
      if (const char* value = std::getenv(name); value != nullptr) kept_[name] = value;
  }
  void restore() const {
    for (const auto& [name, value] : kept_) ::setenv(name, value.c_str(), 1);
  }

 private:
  static constexpr std::array kNames{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"};
  std::map<const char*, std::string> kept_;
};

int report(const rltune::keeper::Summary& summary, const std::string& site, bool json) {
  if (json) {
    nlohmann::ordered_json out;
    out["site"] = site;
    out["stopped"] = summary.reason;
    out["failed"] = summary.failed;
    out["roles"] = nlohmann::ordered_json::object();
    for (const auto& [name, role] : summary.roles)
      out["roles"][name] = {{"starts", role.starts}, {"pid", role.pid}, {"end", role.end}};
    std::println("{}", out.dump());
  }
  return summary.failed ? 1 : 0;
}

// Programs that upgrades bring lie in versions/<version>/bin, and `current` beside `versions` names one of them.
fs::path current_folder(const fs::path& own) {
  const fs::path versions = own.parent_path().parent_path();
  const fs::path current = versions.parent_path() / "current" / "bin";
  std::error_code code;
  return versions.filename() == "versions" && fs::exists(current / "rltune-up", code) ? current : own;
}

// Returns only when there is no such program.
void become(const fs::path& folder, const Arguments& arguments, const std::vector<std::string>& more) {
  std::vector<std::string> words{(folder / "rltune-up").string(), arguments.site.string(), "--run-folder",
                                 arguments.run_folder.string()};
  if (arguments.json) words.emplace_back("--json");
  words.insert(words.end(), more.begin(), more.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  rltune::log::info("goes on as another program", {{"program", words[0]}});
  ::execv(pointers[0], pointers.data());
  rltune::log::error("the program cannot be started", {{"program", words[0]}, {"reason", std::strerror(errno)}});
}

int run(const Arguments& arguments) {
  const fs::path own = fs::read_symlink("/proc/self/exe").parent_path();
  const ServiceEnvironment environment;
  rltune::keeper::Options options;
  options.coredinator = {own / "rltune-coredinator", "--site", arguments.site, "--run-folder", arguments.run_folder};
  options.run_folder = arguments.run_folder;
  if (const char* folder = std::getenv("LOGS_DIRECTORY"); folder != nullptr) options.log_folder = folder;
  options.ready_within = std::chrono::milliseconds(std::llround(1e3 * arguments.ready_within_s));
  const auto summary = rltune::keeper::run(options);
  if (!summary) rltune::log::error(summary.error().message);
  environment.restore();
  const bool failed = !summary || summary->failed;
  if (failed && !(summary && summary->ready) && !arguments.took_over_from.empty()) {
    rltune::log::error("this version does not run here; back to the one before");
    become(arguments.took_over_from, arguments, {});
  }
  if (!summary) return 1;
  if (summary->restart) {
    const std::string within = std::to_string(summary->ready_within_s);
    become(current_folder(own), arguments, {"--took-over-from", own.string(), "--ready-within", within});
    become(own, arguments, {});
  }
  return report(*summary, arguments.site, arguments.json);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("run a site: every role under the keeper", "rltune up");
  app.footer(kExamples);
  Arguments arguments;
  app.add_option("site", arguments.site, "the site's file")->required()->check(CLI::ExistingFile);
  app.add_option("--run-folder", arguments.run_folder, "sockets and logs; by default .rltune beside the site's file");
  app.add_flag("--json", arguments.json, "print one JSON object when everything has stopped");
  app.add_option("--took-over-from", arguments.took_over_from)->group("");
  app.add_option("--ready-within", arguments.ready_within_s)->check(CLI::Range(0.0, 86'400.0))->group("");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  rltune::log::start("keeper");
  arguments.site = fs::absolute(arguments.site);
  arguments.run_folder =
      arguments.run_folder.empty() ? arguments.site.parent_path() / ".rltune" : fs::absolute(arguments.run_folder);
  return run(arguments);
}
