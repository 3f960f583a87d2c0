// rltune-gateway is the public port of a site, which `rltune up` starts, and serves the noun user.
#include "gateway_app.hpp"
#include "rltune/base/log.hpp"
#include "rltune/gateway/gateway_role.hpp"
#include "site_role.hpp"

int main(int argc, char** argv) {
  if (rltune::command::is_site_role(argc, argv))
    return rltune::command::run_site_role(
        {"gateway", "the public port of a site",
         [](const auto& site, const auto& run_folder) { return rltune::gateway::run_gateway({site, run_folder}); }},
        argc, argv);
  rltune::log::start("gateway");
  CLI::App app{"Who may sign in at a site's gateway.", "rltune user"};
  app.require_subcommand(1);
  rltune::gateway_app::add_break_glass_command(app);
  rltune::gateway_app::add_invite_command(app);
  rltune::gateway_app::add_secret_command(app);
  return rltune::command::run(app, argc, argv);
}
