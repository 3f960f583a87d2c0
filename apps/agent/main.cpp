// The agent role: rltune-agent --site SITE.yaml --agent ID --run-folder DIR. Started by coredinator.
#include <CLI/CLI.hpp>

#include "rltune/agent/agent_role.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/scheduling.hpp"

int main(int argc, char** argv) {
  CLI::App app("one policy at work on a site; started by 'rltune up'", "rltune-agent");
  rltune::agent::AgentOptions options;
  app.add_option("--site", options.site, "the site's file")->required();
  app.add_option("--agent", options.agent, "which of the site's agents")->required();
  app.add_option("--run-folder", options.run_folder, "folder of the roles' sockets")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  rltune::log::start("agent." + options.agent);
  rltune::catch_interrupts();
  if (!rltune::run_first()) rltune::log::info("runs at ordinary priority: a busy machine may delay decisions");
  const auto done = rltune::agent::run_agent(options);
  if (done) return 0;
  rltune::log::critical(done.error().message, {{"code", to_string(done.error().code)}});
  // What the disk or the system refused may work a moment later; a policy that does not fit will not.
  return done.error().code == rltune::Errc::io || done.error().code == rltune::Errc::no_space ? 1 : 2;
}
