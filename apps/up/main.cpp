// rltune up SITE: the keeper, and with it every role of a site.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <print>

#include "rltune/base/log.hpp"
#include "rltune/keeper/keeper.hpp"

namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  rltune up site.yaml                       run until SIGTERM or Ctrl-C\n"
    "  rltune up site.yaml --run-folder /run/rltune/north --json\n"
    "\nThe roles' lines go to stderr and to logs/<role>.log in the run folder. Ctrl-C stops everything in\n"
    "order; a second one kills. Exit status: 0 stopped as asked, 1 failed, 2 wrong usage.";

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

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("run a site: every role under the keeper", "rltune up");
  app.footer(kExamples);
  std::filesystem::path site, run_folder;
  bool json = false;
  app.add_option("site", site, "the site's file")->required()->check(CLI::ExistingFile);
  app.add_option("--run-folder", run_folder, "sockets and logs; by default .rltune beside the site's file");
  app.add_flag("--json", json, "print one JSON object when everything has stopped");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  rltune::log::start("keeper");
  site = std::filesystem::absolute(site);
  run_folder = run_folder.empty() ? site.parent_path() / ".rltune" : std::filesystem::absolute(run_folder);
  const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  rltune::keeper::Options options;
  options.coredinator = {folder / "rltune-coredinator", "--site", site, "--run-folder", run_folder};
  options.run_folder = run_folder;
  const auto summary = rltune::keeper::run(options);
  if (!summary) {
    rltune::log::error(summary.error().message);
    return 1;
  }
  return report(*summary, site, json);
}
