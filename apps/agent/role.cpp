#include "role.hpp"

#include <CLI/CLI.hpp>
#include <format>

#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/scheduling.hpp"

namespace rltune::agent {

int main_of(const RoleMain& role, int argc, char** argv) {
  CLI::App app(role.about, std::format("rltune-{}", role.name));
  AgentOptions options;
  app.add_option("--site", options.site, "the site's file")->required();
  app.add_option("--agent", options.agent, "which of the site's agents")->required();
  app.add_option("--run-folder", options.run_folder, "folder of the roles' sockets")->required();
  app.add_option("--artifact", options.artifact, "a deployed version's policy; by default the site's");
  app.add_option("--instance", options.instance, "name of the deployed version: climate@1.2.0");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  log::start(std::format("{}.{}", role.name, options.name()));
  catch_interrupts();
  if (role.first && !run_first()) log::info("runs at ordinary priority: a busy machine may delay decisions");
  const auto done = role.run(options);
  if (done) return 0;
  log::critical(done.error().message, {{"code", to_string(done.error().code)}});
  // What the disk or the system refused may work a moment later; a policy that does not fit will not.
  return done.error().code == Errc::io || done.error().code == Errc::no_space ? 1 : 2;
}

}  // namespace rltune::agent
