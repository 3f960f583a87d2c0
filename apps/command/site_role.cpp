#include "site_role.hpp"

#include <CLI/CLI.hpp>

#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"

namespace rltune::command {

bool is_site_role(int argc, char** argv) { return argc > 1 && std::string_view(argv[1]) == "--site"; }

int run_site_role(const SiteRole& role, int argc, char** argv) {
  CLI::App app(role.about + "; `rltune up` starts it", "rltune-" + role.name);
  std::filesystem::path site, run_folder;
  app.add_option("--site", site, "the site's file")->required();
  app.add_option("--run-folder", run_folder, "folder of the roles' sockets")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  log::start(role.name);
  catch_interrupts();
  const auto done = role.run(site, run_folder);
  if (done) return 0;
  log::critical(done.error().message, {{"code", to_string(done.error().code)}});
  const Errc code = done.error().code;
  return code == Errc::io || code == Errc::no_space || code == Errc::denied || code == Errc::timeout ? 1 : 2;
}

}  // namespace rltune::command
