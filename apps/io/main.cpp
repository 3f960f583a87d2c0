// The io role: rltune-io --site SITE.yaml --run-folder DIR. Started by coredinator, by hand for a look.
#include <CLI/CLI.hpp>
#include <print>

#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/scheduling.hpp"
#include "rltune/io/io_role.hpp"

int main(int argc, char** argv) {
  CLI::App app("The io role of a site: plant link, guard, historian and decision log. `rltune up` starts it.");
  rltune::io::IoOptions options;
  app.add_option("--site", options.site, "site.yaml")->required()->check(CLI::ExistingFile);
  app.add_option("--run-folder", options.run_folder, "folder of the roles' sockets")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  rltune::log::start("io");
  rltune::catch_interrupts();
  if (!rltune::run_first()) rltune::log::info("runs at ordinary priority: a busy machine may delay decisions");
  const auto done = rltune::io::run_io(options);
  if (!done) rltune::log::critical(done.error().message, {{"code", to_string(done.error().code)}});
  return done ? 0 : 1;
}
