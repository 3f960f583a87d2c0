// rltune-backup serves the noun backup: a running site in one encrypted file, and back.
#include <sys/resource.h>

#include "backup.hpp"
#include "rltune/base/log.hpp"

int main(int argc, char** argv) {
  rltune::log::start("backup");
  // Never in the way of what controls.
  ::setpriority(PRIO_PROCESS, 0, 19);
  // Every database of a site is held open at once: three files a day of decisions.
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  CLI::App app{"Backups of a site: key, create, copy, list, verify and restore.", "rltune backup"};
  app.require_subcommand(1);
  rltune::backup::add_key_command(app);
  rltune::backup::add_create_command(app);
  rltune::backup::add_copy_command(app);
  rltune::backup::add_list_command(app);
  rltune::backup::add_verify_command(app);
  rltune::backup::add_restore_command(app);
  return rltune::command::run(app, argc, argv);
}
