// rltune-site serves the noun site: describe a site, check it, and take it in hand while it runs.
#include <cstdio>
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
  add_key_command(app);
  add_certificates_command(app);
  app.footer(
      "'rltune site <verb> --help' has examples; docs/site.md explains every field of site.yaml.\n"
      "Exit status: 0 done, 1 failed, 2 wrong usage.");
  return rltune::command::run(app, argc, argv);
}
