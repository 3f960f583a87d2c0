#include <format>
#include <memory>
#include <print>

#include "rltune/base/clock.hpp"
#include "role_client.hpp"
#include "telemetry_app.hpp"

namespace rltune::telemetry_app {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kAlertExamples =
    "Examples:\n"
    "  rltune alert list site.yaml\n"
    "  rltune alert acknowledge site.yaml role_down-3fa2b1c4d5e6 --why 'being repaired' --for-hours 2\n"
    "  rltune alert test site.yaml oncall          says through that channel that this is a test\n"
    "\nThe rules stand in alerts.yaml beside the site's file; without one those that ship with the product hold.";

struct Options : SiteOptions {
  std::string id, why, channel;
  double hours = 0.0;
};

void list(const Options& options) {
  const Json told = RoleClient(options).get("/v1/alerts");
  if (options.json) return std::println("{}", told.dump(2));
  if (told["alerts"].empty()) return std::println("no alerts");
  std::println("{:<9} {:<9} {:<32} {:<40} {}", "state", "severity", "since", "id", "what");
  for (const Json& alert : told["alerts"]) {
    std::string by;
    if (alert.contains("acknowledged") && alert["acknowledged"].is_object())
      by = std::format("  (acknowledged by {})", alert["acknowledged"].value("who", ""));
    std::println("{:<9} {:<9} {:<32} {:<40} {}{}", alert.value("state", ""), alert.value("severity", ""),
                 alert.value("since", ""), alert.value("id", ""), alert.value("summary", ""), by);
  }
}

void acknowledge(const Options& options) {
  Json order{{"who", command::user_name()}, {"why", options.why}};
  if (options.hours > 0.0) order["until"] = format_rfc3339(WallClock().now() + from_seconds(3'600.0 * options.hours));
  const Json told = RoleClient(options).post("/v1/alerts/" + options.id + "/acknowledge", order);
  if (options.json) return std::println("{}", told.dump(2));
  std::println("{} is acknowledged{}", options.id,
               options.hours > 0.0 ? std::format(" until {}", order["until"].get<std::string>()) : "");
}

void test(const Options& options) {
  const Json told = RoleClient(options).post("/v1/channels/" + options.channel + "/test", Json::object());
  if (options.json) return std::println("{}", told.dump(2));
  std::println("{} took the test", options.channel);
}

CLI::App& add_verb(CLI::App& app, const char* name, const char* about, const std::shared_ptr<Options>& options,
                   void (*run)(const Options&)) {
  CLI::App& verb = *app.add_subcommand(name, about);
  verb.footer(kAlertExamples);
  add_site_options(verb, *options);
  verb.callback([options, run] { run(*options); });
  return verb;
}

}  // namespace

void add_alert_commands(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_verb(app, "list", "Alerts that are pending or firing", options, list);
  CLI::App& ack = add_verb(app, "acknowledge", "Say that somebody looks after an alert: it is not told again", options,
                           acknowledge);
  ack.add_option("id", options->id, "As `rltune alert list` shows it")->required();
  ack.add_option("--why", options->why, "For the others");
  ack.add_option("--for-hours", options->hours, "It ends by itself after so long; without it, with the alert")
      ->check(CLI::Range(0.01, 8760.0));
  CLI::App& trial = add_verb(app, "test", "Try whether a channel reaches who it should", options, test);
  trial.add_option("channel", options->channel, "Its name in alerts.yaml")->required();
}

}  // namespace rltune::telemetry_app
