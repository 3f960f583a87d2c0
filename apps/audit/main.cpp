// rltune-audit serves the noun audit: what was decided and whether it can be computed again; who did what.
#include "audit.hpp"
#include "rltune/base/log.hpp"

int main(int argc, char** argv) {
  rltune::log::start("audit");
  CLI::App app{"What a site decided and who did what: show, replay, log, verify, heads.", "rltune audit"};
  app.require_subcommand(1);
  rltune::audit::add_show_command(app);
  rltune::audit::add_replay_command(app);
  rltune::audit::add_log_command(app);
  rltune::audit::add_verify_command(app);
  rltune::audit::add_heads_command(app);
  return rltune::command::run(app, argc, argv);
}
