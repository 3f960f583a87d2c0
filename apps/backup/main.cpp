// rltune-backup serves the noun backup: a running site in one encrypted file, and back.
#include <sys/resource.h>

#include "backup.hpp"
#include "rltune/base/log.hpp"

int main(int argc, char** argv) {
  rltune::log::start("backup");
  // Never in the way of what controls.
  ::setpriority(PRIO_PROCESS, 0, 19);
  CLI::App app{"Backups of a site: key, create, list, verify and restore.", "rltune backup"};
  app.require_subcommand(1);
  rltune::backup::add_key_command(app);
  rltune::backup::add_create_command(app);
  rltune::backup::add_list_command(app);
  rltune::backup::add_verify_command(app);
  rltune::backup::add_restore_command(app);
  return rltune::command::run(app, argc, argv);
}
