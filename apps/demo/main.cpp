// rltune demo: the whole story in one run. Trains a policy in synthetic weather, compares it with the controllers that
// a grower has, lets it run a season over encrypted OPC UA behind a guard with two accidents on the way, computes every
// decision again, and writes a report. Each part is a command of this product, started as a person would.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <format>
#include <print>

#include "demo.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"

namespace {

using rltune::demo::DemoOptions;
using rltune::demo::Narration;

constexpr const char* kExamples =
    "What it leaves in OUT: report.html, policy/ (the artifact), rule.yaml, site/ (site.yaml, historian, decisions,\n"
    "certificates, logs of its roles) and logs/.\n\n"
    "Examples:\n"
    "  rltune demo                                  a few minutes on two cores\n"
    "  rltune demo --keep                           again, with the policy of the run before\n"
    "  rltune demo --seed 3 --out /tmp/demo3 --json\n"
    "  rltune demo --policy policies/lettuce --weather weather.csv.gz --time-zone +01:00 --start 2014-02-09\n"
    "\nExit status: 0 every claim shown, 1 a part failed, 2 wrong usage.";

void add_options(CLI::App& app, DemoOptions& options) {
  app.add_option("--out", options.out, "Folder of everything that the demo makes")
      ->type_name("DIR")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of the training")->capture_default_str();
  app.add_option("--steps", options.steps, "Of the training; by itself it knows how many it needs")
      ->check(CLI::PositiveNumber);
  CLI::Option* keep =
      app.add_flag("--keep", options.keep, "Keep the policy that stands in OUT instead of training anew");
  app.add_option("--policy", options.policy, "A policy from elsewhere instead of training one")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory)
      ->excludes(keep);
  app.add_option("--weather", options.weather,
                 "Of the season: a file, or synthetic (of another year than the training's)")
      ->capture_default_str();
  app.add_option("--time-zone", options.time_zone, "What times in a weather file mean")->capture_default_str();
  app.add_option("--weather-seed", options.weather_seed, "Which synthetic weather the season has")
      ->capture_default_str();
  app.add_option("--start", options.start, "First day of the season")->capture_default_str();
  app.add_option("--days", options.days, "Length of the season")->check(CLI::Range(2, 300))->capture_default_str();
  app.add_option("--episodes", options.episodes, "Other seasons to compare on")
      ->check(CLI::Range(2, 1000))
      ->capture_default_str();
}

int tell_failure(const rltune::Error& error, bool json) {
  if (json) std::println("{}", nlohmann::ordered_json{{"passed", false}, {"error", error.message}}.dump(2));
  std::println(stderr, "rltune: {}", error.message);
  return 1;
}

int tell(const rltune::demo::Findings& findings, bool json) {
  if (json) {
    std::println("{}", to_json(findings).dump(2));
  } else {
    std::print("{}", closing_text(findings));
    std::println("\n{} in {:.0f} s. Open {}\nEverything else is beside it: policy, site, logs.",
                 findings.passed() ? "Every claim shown" : "NOT every claim shown", findings.seconds,
                 (findings.folder / "report.html").string());
  }
  return findings.passed() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  rltune::log::start("demo", rltune::log::Level::error);
  CLI::App app{"Train, compare, run a season over encrypted OPC UA with two accidents, report.", "rltune demo"};
  app.footer(kExamples);
  DemoOptions options;
  bool json = false, plain = false;
  add_options(app, options);
  app.add_flag("--json", json, "Nothing but one JSON object on stdout");
  app.add_flag("--plain", plain, "Lines instead of the live view");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  rltune::catch_interrupts();
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  const auto narrator = rltune::demo::make_narrator(json                 ? Narration::none
                                                    : terminal && !plain ? Narration::screen
                                                                         : Narration::lines);
  const auto findings = run_demo(options, *narrator);
  narrator->end(findings.has_value());
  return findings ? tell(*findings, json) : tell_failure(findings.error(), json);
}
