// rltune-site serves the noun site: describe a site, check it, and take it in hand while it runs.
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <print>

#include "rltune/base/log.hpp"
#include "site.hpp"

namespace rltune::site {

config::Site load(const std::filesystem::path& file) {
  auto site = config::load_site(file);
  if (!site) {
    std::println(stderr, "{}", site.error().message);
    throw Exit{kFailed};
  }
  return std::move(*site);
}

void confirm(const std::string& question, bool yes) {
  if (yes) return;
  if (::isatty(STDIN_FILENO) == 0) stop(kWrongUsage, question + " Nobody is at a terminal to answer: pass --yes");
  std::print(stderr, "{} [y/N] ", question);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer != "y" && answer != "Y" && answer != "yes") stop(kFailed, "nothing was changed");
}

}  // namespace rltune::site

int main(int argc, char** argv) {
  using namespace rltune::site;
  rltune::log::start("site");
  CLI::App app{"Describe a site, check it, and take it in hand while it runs.", "rltune site"};
  app.require_subcommand(1);
  add_init_command(app);
  add_check_commands(app);
  add_control_commands(app);
  add_storage_command(app);
  app.footer(
      "'rltune site <verb> --help' has examples; docs/site.md explains every field of site.yaml.\n"
      "Exit status: 0 done, 1 failed, 2 wrong usage.");
  return rltune::command::run(app, argc, argv);
}
