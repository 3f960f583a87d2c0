// rltune-telemetry is the telemetry role of a site, which `rltune up` starts, and serves the nouns telemetry and alert.
#include "receive_command.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/collector/telemetry_role.hpp"
#include "telemetry_app.hpp"

namespace {

// What a role is started with; anything else is a command's.
bool is_role(int argc, char** argv) { return argc > 1 && std::string_view(argv[1]) == "--site"; }

int run_role(int argc, char** argv) {
  CLI::App app("keeps and forwards what a site logs and measures; `rltune up` starts it", "rltune-telemetry");
  rltune::collector::Options options;
  app.add_option("--site", options.site, "the site's file")->required();
  app.add_option("--run-folder", options.run_folder, "folder of the roles' sockets")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  rltune::log::start("telemetry");
  rltune::catch_interrupts();
  const auto done = rltune::collector::run_telemetry(options);
  if (done) return 0;
  rltune::log::critical(done.error().message, {{"code", to_string(done.error().code)}});
  // What the disk or the system refused may work a moment later; a wrong file stays wrong.
  const auto code = done.error().code;
  return code == rltune::Errc::io || code == rltune::Errc::no_space || code == rltune::Errc::denied ? 1 : 2;
}

}  // namespace

// The noun comes first: `telemetry status`, `alert list`.
int main(int argc, char** argv) {
  if (is_role(argc, argv)) return run_role(argc, argv);
  rltune::log::start("telemetry");
  CLI::App app{"What a site logs and measures, where it goes, and when it calls for a person.", "rltune"};
  app.require_subcommand(1);
  CLI::App& telemetry = *app.add_subcommand("telemetry", "What is kept and forwarded")->require_subcommand(1);
  rltune::telemetry_app::add_status_command(telemetry);
  rltune::telemetry_app::add_receive_command(telemetry);
  CLI::App& alert = *app.add_subcommand("alert", "What calls for a person")->require_subcommand(1);
  rltune::telemetry_app::add_alert_commands(alert);
  return rltune::command::run(app, argc, argv);
}
