// rltune-telemetry is the telemetry role of a site, which `rltune up` starts, and serves the nouns telemetry and alert.
#include "receive_command.hpp"
#include "rltune/base/log.hpp"
#include "rltune/collector/telemetry_role.hpp"
#include "site_role.hpp"
#include "telemetry_app.hpp"

// The noun comes first: `telemetry status`, `alert list`.
int main(int argc, char** argv) {
  if (rltune::command::is_site_role(argc, argv))
    return rltune::command::run_site_role(
        {"telemetry", "keeps and forwards what a site logs and measures",
         [](const auto& site, const auto& run_folder) { return rltune::collector::run_telemetry({site, run_folder}); }},
        argc, argv);
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
