// rltune-twin serves the noun twin of the command line: plants to connect to.
#include <cstdlib>

#include "command.hpp"
#include "rltune/base/log.hpp"
#include "serve.hpp"

namespace {

using rltune::twin::ServeArguments;

constexpr const char* kExamples = R"(Examples:
  A greenhouse on this machine's clock, one season in ten minutes, for clients whose certificate is given:
    rltune twin serve --plant lettuce --speed 5760 --trust io/own/cert.der
  In lockstep, for a closed loop as fast as both sides can:
    rltune twin serve --plant lettuce --clock plant --weather bleiswijk.csv.gz --time-zone +01:00 --start 2014-02-09
  A plant that survives kill -9, with a control room that may take its outputs:
    rltune twin serve --state season.journal --dcs-user dcs --dcs-password-file dcs.txt

Clients need Basic256Sha256 (or an Aes policy) with sign and encrypt, a certificate in PKI/trusted (--trust copies one
there; refused ones lie in PKI/rejected), and the user's name and password.
Exit status: 0 stopped in order, 1 failed, 2 wrong usage.)";

std::filesystem::path default_pki() {
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  if (state != nullptr && *state != '\0') return std::filesystem::path(state) / "rltune/twin/pki";
  return std::filesystem::path(home != nullptr ? home : ".") / ".local/state/rltune/twin/pki";
}

void add_plant_options(CLI::App& command, ServeArguments& a, std::vector<std::string>& settings) {
  command.add_option("--plant", a.plant, "Plant to serve")->capture_default_str()->group("Plant");
  command.add_option("--weather", a.weather, "CSV (gzip accepted) or EPW file, or synthetic")
      ->capture_default_str()
      ->group("Plant");
  command.add_option("--time-zone", a.time_zone, "Time zone of a CSV file's times without offset, and of --start")
      ->capture_default_str()
      ->group("Plant");
  command.add_option("--weather-seed", a.weather_seed, "Which synthetic weather")
      ->capture_default_str()
      ->group("Plant");
  command
      .add_option("--start", a.start,
                  "When the season starts; default: where a file starts, 2014-02-09 in synthetic weather")
      ->group("Plant");
  command
      .add_option("--days", a.days,
                  "Length of the season; default: as published. Set-points of a plant with a schedule repeat")
      ->check(CLI::PositiveNumber)
      ->group("Plant");
  command.add_option("--seed", a.seed, "Of every noise")->capture_default_str()->group("Plant");
  command.add_option("--set", settings, "Set a plant's parameter; may be repeated (c_leak=7.5e-5)")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all()
      ->group("Plant");
  command.add_option("--parameter-noise", a.parameter_noise, "Every uncertain parameter times 1 + U(-D/2, D/2)")
      ->type_name("D")
      ->check(CLI::Range(0.0, 1.0))
      ->group("Plant");
  command.add_option("--per", a.parameter_noise_per, "Parameter noise is drawn anew every")
      ->check(CLI::IsMember({"step", "episode"}))
      ->capture_default_str()
      ->group("Plant");
  command.add_option("--observation-noise", a.observation_noise, "Relative standard deviation of every sensor")
      ->type_name("D")
      ->check(CLI::Range(0.0, 1.0))
      ->group("Plant");
  command.add_option("--randomisation", a.randomisation, "Domain randomisation, YAML")
      ->check(CLI::ExistingFile)
      ->group("Plant");
  command
      .add_option("--forecast", a.forecast,
                  "What the forecast tags say: perfect, or with the error of 24 h persistence")
      ->check(CLI::IsMember({"perfect", "persistence"}))
      ->capture_default_str()
      ->group("Plant");
  command
      .add_option("--forecast-hours", a.forecast_hours, "Persistence: after so long the forecast is mostly yesterday")
      ->check(CLI::Range(0.1, 1000.0))
      ->capture_default_str()
      ->group("Plant");
  command.add_option("--forecast-leads", a.forecast_leads, "Sample periods ahead; 0: no forecast tags")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str()
      ->group("Plant");
}

void add_clock_options(CLI::App& command, ServeArguments& a) {
  command
      .add_option("--clock", a.clock,
                  "wall: by this machine's clock; plant: lockstep, a step when clock_advance is written")
      ->check(CLI::IsMember({"wall", "plant"}))
      ->capture_default_str()
      ->group("Clock and control");
  command.add_option("--speed", a.speed, "Plant seconds in a wall second")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group("Clock and control");
  command
      .add_option("--sample-period", a.sample_period_s,
                  "Show the sensors again every so many wall seconds between steps")
      ->type_name("S")
      ->check(CLI::PositiveNumber)
      ->group("Clock and control");
  command
      .add_option("--shed-after", a.shed_after_s,
                  "Wall seconds without a new guard_alive until local control; 0: never")
      ->type_name("S")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->group("Clock and control");
  command.add_option("--state", a.state, "Journal of the season: a twin that was killed goes on from it")
      ->type_name("FILE")
      ->group("Clock and control");
  command.add_option("--state-sync", a.state_sync, "Steps between two that also survive a power cut; 0: none does")
      ->capture_default_str()
      ->group("Clock and control");
  command.add_option("--dcs-file", a.dcs_file, "Modes of outputs, read when it changes: heating_mode: 0")
      ->type_name("FILE")
      ->group("Clock and control");
  command.add_flag("--test-faults", a.test_faults, "Add the tag test_fault: break sensors, for tests")
      ->group("Clock and control");
}

void add_server_options(CLI::App& command, ServeArguments& a) {
  command.add_option("--listen", a.listen, "Address to listen on")->capture_default_str()->group("Server");
  command.add_option("--port", a.port, "0: one that is free")->capture_default_str()->group("Server");
  command.add_option("--pki", a.pki, "Folder of keys: own/ (made when missing), trusted/, rejected/")
      ->capture_default_str()
      ->group("Server");
  command.add_option("--trust", a.trust, "Client certificate to trust, copied to PKI/trusted")
      ->check(CLI::ExistingFile)
      ->group("Server");
  command.add_option("--user", a.user, "Who may write set-points")->capture_default_str()->group("Server");
  command
      .add_option("--password-file", a.password_file,
                  "The user's password; default: PKI/own/password, made when missing")
      ->check(CLI::ExistingFile)
      ->group("Server");
  auto* dcs = command.add_option("--dcs-user", a.dcs_user, "Who may also set the outputs' modes")->group("Server");
  auto* file = command.add_option("--dcs-password-file", a.dcs_password_file, "That user's password")
                   ->check(CLI::ExistingFile)
                   ->group("Server");
  dcs->needs(file);
  file->needs(dcs);
  command.add_flag("--allow-none", a.allow_none, "Also offer policy None, without any security")->group("Server");
  command
      .add_option("--endpoint-port", a.endpoint_port,
                  "Serve /metrics and /healthcheck on 127.0.0.1; 0: one that is free")
      ->group("Server");
  command.add_flag("--json", a.json, "Print one JSON object when ready: url, certificate, namespace, tags")
      ->group("Server");
}

}  // namespace

int main(int argc, char** argv) {
  rltune::log::start("twin");
  CLI::App app{"Digital twins behind real protocol servers.", "rltune twin"};
  app.require_subcommand(1);
  ServeArguments arguments{.pki = default_pki()};
  std::vector<std::string> settings;
  CLI::App& serve = *app.add_subcommand("serve", "Serve a plant over OPC UA until SIGTERM")->footer(kExamples);
  add_plant_options(serve, arguments, settings);
  add_clock_options(serve, arguments);
  add_server_options(serve, arguments);
  serve.callback([&] {
    arguments.settings = rltune::command::parse_settings(settings);
    const auto served = rltune::twin::serve(arguments);
    if (served) return;
    const auto code = served.error().code;
    const bool usage = code == rltune::Errc::not_found || code == rltune::Errc::invalid_argument;
    rltune::command::stop(usage ? rltune::command::kWrongUsage : rltune::command::kFailed, served.error().message);
  });
  return rltune::command::run(app, argc, argv);
}
