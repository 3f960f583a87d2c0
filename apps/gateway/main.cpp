// rltune-gateway is the public port of a site, which `rltune up` starts, and serves the noun user.
#include "gateway_app.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/gateway/gateway_role.hpp"

namespace {

// What a role is started with; anything else is a command's.
bool is_role(int argc, char** argv) { return argc > 1 && std::string_view(argv[1]) == "--site"; }

int run_role(int argc, char** argv) {
  CLI::App app("the public port of a site; `rltune up` starts it", "rltune-gateway");
  rltune::gateway::Options options;
  app.add_option("--site", options.site, "the site's file")->required();
  app.add_option("--run-folder", options.run_folder, "folder of the roles' sockets")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  rltune::log::start("gateway");
  rltune::catch_interrupts();
  const auto done = rltune::gateway::run_gateway(options);
  if (done) return 0;
  rltune::log::critical(done.error().message, {{"code", to_string(done.error().code)}});
  // What the disk or the system refused may work a moment later; a wrong file stays wrong.
  const auto code = done.error().code;
  const bool may_pass = code == rltune::Errc::io || code == rltune::Errc::no_space || code == rltune::Errc::denied ||
                        code == rltune::Errc::timeout;
  return may_pass ? 1 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (is_role(argc, argv)) return run_role(argc, argv);
  rltune::log::start("gateway");
  CLI::App app{"Who may sign in at a site's gateway.", "rltune user"};
  app.require_subcommand(1);
  rltune::gateway_app::add_invite_command(app);
  return rltune::command::run(app, argc, argv);
}
