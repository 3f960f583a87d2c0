// The coredinator role; `rltune up` starts it.
#include <CLI/CLI.hpp>
#include <filesystem>

#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/coredinator/coredinator.hpp"

int main(int argc, char** argv) {
  CLI::App app("decides which roles of a site run; started by 'rltune up'", "rltune-coredinator");
  rltune::coredinator::Options options;
  app.add_option("--site", options.site, "the site's file")->required();
  app.add_option("--run-folder", options.run_folder, "sockets and logs")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  rltune::log::start("coredinator");
  rltune::catch_interrupts();
  options.executables = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  const auto done = rltune::coredinator::run(options);
  if (done) return 0;
  rltune::log::critical(done.error().message);
  // An address that is still taken may be free a moment later; a wrong site stays wrong.
  return done.error().code == rltune::Errc::io ? 1 : 2;
}
