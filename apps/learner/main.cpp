// The learner role: rltune-learner --site SITE.yaml --agent ID --run-folder DIR. Started by coredinator.
#include <CLI/CLI.hpp>

#include "rltune/agent/learner_role.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"

int main(int argc, char** argv) {
  CLI::App app("improves one policy beside its loop; started by 'rltune up'", "rltune-learner");
  rltune::agent::AgentOptions options;
  app.add_option("--site", options.site, "the site's file")->required();
  app.add_option("--agent", options.agent, "which of the site's agents")->required();
  app.add_option("--run-folder", options.run_folder, "folder of the roles' sockets")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  rltune::log::start("learner." + options.agent);
  rltune::catch_interrupts();
  const auto done = rltune::agent::run_learner(options);
  if (done) return 0;
  rltune::log::critical(done.error().message, {{"code", to_string(done.error().code)}});
  // What the disk or the system refused may work a moment later; a policy that does not fit will not.
  return done.error().code == rltune::Errc::io || done.error().code == rltune::Errc::no_space ? 1 : 2;
}
