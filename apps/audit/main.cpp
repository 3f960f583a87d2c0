// rltune-audit serves the noun audit: what was decided, by whom, and whether it can be computed again.
#include "audit.hpp"
#include "rltune/base/log.hpp"

int main(int argc, char** argv) {
  rltune::log::start("audit");
  CLI::App app{"Decisions of a site: show and replay.", "rltune audit"};
  app.require_subcommand(1);
  rltune::audit::add_show_command(app);
  rltune::audit::add_replay_command(app);
  return rltune::command::run(app, argc, argv);
}
