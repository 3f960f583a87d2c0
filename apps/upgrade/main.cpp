// rltune-upgrade serves the noun upgrade: another version of the product from one file, and back.
#include "rltune/base/log.hpp"
#include "upgrade_app.hpp"

int main(int argc, char** argv) {
  rltune::log::start("upgrade");
  CLI::App app{"Another version of the product from one signed file, and back.", "rltune upgrade"};
  app.require_subcommand(1);
  rltune::upgrade_app::add_upgrade_commands(app);
  rltune::upgrade_app::add_builder_commands(app);
  app.footer(
      "docs/operations.md, \"Upgrading\", shows a night of it.\n"
      "Exit status: 0 done, 1 failed or undone, 2 wrong usage.");
  return rltune::command::run(app, argc, argv);
}
