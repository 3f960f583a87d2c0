// rltune controller list | tune | autotune
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <format>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "common.hpp"
#include "entrant.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/controllers/autotune.hpp"
#include "rltune/controllers/controller_file.hpp"
#include "rltune/evaluation/tune.hpp"
#include "world.hpp"

namespace rltune::lab {
namespace {

using nlohmann::ordered_json;

struct ListOptions {
  std::string plant;
  bool json = false;
};

ordered_json described(const controllers::ControllerKind& kind) {
  ordered_json parameters = ordered_json::array();
  for (const auto& parameter : kind.parameters)
    parameters.push_back({{"name", parameter.name},
                          {"unit", parameter.unit},
                          {"value", parameter.value},
                          {"low", parameter.low},
                          {"high", parameter.high},
                          {"tunable", parameter.tunable},
                          {"description", parameter.description}});
  return {{"name", kind.name},
          {"description", kind.description},
          {"tunable", kind.tunable},
          {"parameters", std::move(parameters)}};
}

void list(const ListOptions& options) {
  ordered_json plants = ordered_json::array();
  const std::vector<std::string> names = options.plant.empty() ? env::plant_names() : std::vector{options.plant};
  for (const std::string& name : names) {
    const auto model = or_stop(env::make_plant(name, 1));
    ordered_json kinds = ordered_json::array();
    if (!options.json) std::println("{}", name);
    for (const controllers::ControllerKind& kind : controllers::controller_kinds(model->spec())) {
      kinds.push_back(described(kind));
      if (options.json) continue;
      std::println("  {:<10} {}", kind.name, kind.description);
      if (options.plant.empty()) continue;
      for (const auto& parameter : kind.parameters)
        std::println("    {:<28} {:>10} {:<16} {}", parameter.name, parameter.value, parameter.unit,
                     parameter.description);
    }
    plants.push_back({{"plant", name}, {"controllers", std::move(kinds)}});
  }
  if (options.json) print_json({{"plants", std::move(plants)}});
}

struct TuneCommand {
  WorldOptions world;
  std::string controller = "rule", out;
  std::vector<std::string> parameters;
  std::uint64_t budget = 1'000'000, seed = 1;
  std::size_t seasons = 1;
  unsigned workers = 0;
  double time_limit_s = 0.0;  // 0: none
  bool json = false;
};

void show_progress(const evaluation::TuneProgress& progress) {
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  std::print(stderr, "{}tuning {:>5.1f} %  {} of {} steps  return {:.3f}, best {:.3f}{}", terminal ? "\r" : "",
             100.0 * static_cast<double>(progress.steps) / static_cast<double>(progress.steps_budget), progress.steps,
             progress.steps_budget, progress.generation_mean, progress.generation_best, terminal ? "   " : "\n");
  std::fflush(stderr);
}

controllers::ControllerFile to_file(const TuneCommand& options, const World& world, const evaluation::Tuned& tuned) {
  controllers::ControllerFile file{world.plant.name, options.controller, tuned.parameters, {}};
  file.tuning = {{"weather", world.weather},
                 {"steps", std::format("{}", tuned.steps)},
                 {"seed", std::format("{}", options.seed)},
                 {"mean_return", std::format("{}", tuned.mean_return)},
                 {"mean_return_untuned", std::format("{}", tuned.mean_return_start)},
                 {"deciding_seasons", std::format("{}", tuned.seasons)},
                 {"parameter_noise", std::format("{} per {}", options.world.parameter_noise, options.world.per)},
                 {"observation_noise", std::format("{}", options.world.observation_noise)}};
  if (!options.world.randomisation.empty()) file.tuning["randomisation"] = options.world.randomisation;
  return file;
}

void tune_command(const TuneCommand& options) {
  const World world = make_world(options.world);
  evaluation::TuneOptions how{
      .controller = options.controller, .start = parse_settings(options.parameters), .world = world.simulation()};
  how.steps_budget = options.budget;
  how.seasons_per_candidate = options.seasons;
  how.seed = options.seed;
  how.workers = options.workers;
  how.progress = show_progress;
  using Clock = std::chrono::steady_clock;
  const Clock::time_point started = Clock::now();
  const auto out_of_time = [&] {
    return options.time_limit_s > 0.0 && Clock::now() - started >= std::chrono::duration<double>(options.time_limit_s);
  };
  how.cancelled = [&] { return interrupted() || out_of_time(); };
  catch_interrupts();
  const evaluation::Tuned tuned = or_stop(evaluation::tune(how));
  if (::isatty(STDERR_FILENO) != 0) std::println(stderr, "");
  or_stop(controllers::save_controller_file(options.out, to_file(options, world, tuned)));
  if (options.json) {
    print_json({{"plant", world.plant.name},
                {"controller", options.controller},
                {"file", options.out},
                {"weather", world.weather},
                {"steps", tuned.steps},
                {"mean_return", tuned.mean_return},
                {"mean_return_untuned", tuned.mean_return_start},
                {"deciding_seasons", tuned.seasons},
                {"cancelled", interrupted()},
                {"seconds", std::chrono::duration<double>(Clock::now() - started).count()},
                {"parameters", tuned.parameters}});
  } else {
    std::println("mean return {:.4f}, untuned {:.4f}, over {} seasons it had not met; written to {}", tuned.mean_return,
                 tuned.mean_return_start, tuned.seasons, options.out);
  }
}

struct AutotuneCommand {
  std::string plant, method = "relay", out;
  std::vector<std::string> settings;
  double amplitude = 0.1;
  bool json = false;
};

ordered_json figures(const controllers::LoopFinding& found, bool relay) {
  if (relay)
    return {
        {"loop", found.loop}, {"ultimate_gain", found.ultimate_gain}, {"ultimate_period_s", found.ultimate_period_s}};
  return {{"loop", found.loop},
          {"gain", found.gain},
          {"time_constant_s", found.time_constant_s},
          {"dead_time_s", found.dead_time_s}};
}

void autotune_command(const AutotuneCommand& options) {
  const bool relay = options.method == "relay";
  const auto method = relay ? controllers::AutotuneOptions::Method::relay : controllers::AutotuneOptions::Method::step;
  const env::Overrides settings = parse_settings(options.settings);
  const auto tuned = or_stop(controllers::autotune_pid(options.plant, settings, {method, options.amplitude}));
  const std::string plant = or_stop(env::make_plant(options.plant, 1))->spec().name;
  or_stop(
      controllers::save_controller_file(options.out, {plant,
                                                      "pid",
                                                      tuned.parameters,
                                                      {{"method", relay ? "relay, Ziegler and Nichols" : "step, SIMC"},
                                                       {"amplitude", std::format("{}", options.amplitude)}}}));
  ordered_json loops = ordered_json::array();
  for (const controllers::LoopFinding& found : tuned.loops) loops.push_back(figures(found, relay));
  if (options.json) {
    print_json({{"plant", plant},
                {"method", options.method},
                {"file", options.out},
                {"loops", std::move(loops)},
                {"parameters", tuned.parameters}});
    return;
  }
  for (const auto& loop : loops) {
    std::print("{}:", loop["loop"].get<std::string>());
    for (const auto& [name, value] : loop.items())
      if (name != "loop") std::print(" {} {:.4g}", name, value.get<double>());
    std::println("");
  }
  for (const auto& [name, value] : tuned.parameters) std::println("  {:<36} {:.4g}", name, value);
  std::println("written to {}", options.out);
}

}  // namespace

static void add_autotune_command(CLI::App& controller) {
  const auto tuned = std::make_shared<AutotuneCommand>();
  CLI::App& command =
      *controller.add_subcommand("autotune", "PID settings from one experiment on the twin: a relay or a step");
  command.add_option("--plant", tuned->plant, "Plant, as 'rltune plant list' names it, or your own library")
      ->required();
  command.add_option("--method", tuned->method, "relay: let the loop swing; step: fit the answer to a step (SIMC)")
      ->check(CLI::IsMember({"relay", "step"}))
      ->capture_default_str();
  command.add_option("--amplitude", tuned->amplitude, "Of the experiment's move, as a share of the input's range")
      ->check(CLI::Range(0.001, 0.5))
      ->capture_default_str();
  command.add_option("--set", tuned->settings, "Set a plant's parameter; may be repeated")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all();
  command.add_option("--out", tuned->out, "File to write")->required()->type_name("FILE.yaml");
  command.add_flag("--json", tuned->json, "One JSON object on stdout");
  command.footer(
      "Examples:\n  rltune controller autotune --plant cstr --out pid.yaml\n"
      "  rltune policy evaluate --plant cstr --controller pid.yaml");
  command.callback([tuned] { autotune_command(*tuned); });
}

void add_controller_commands(CLI::App& controller) {
  controller.footer(
      "Examples:\n  rltune controller list --plant lettuce\n  rltune controller tune --plant lettuce --controller rule "
      "--out rule.yaml");
  const auto listed = std::make_shared<ListOptions>();
  CLI::App& list_command =
      *controller.add_subcommand("list", "Controllers by plant; with --plant their parameters too");
  list_command.add_option("--plant", listed->plant, "Only this plant's");
  list_command.add_flag("--json", listed->json, "One JSON object on stdout");
  list_command.callback([listed] { list(*listed); });

  const auto tuned = std::make_shared<TuneCommand>();
  CLI::App& command =
      *controller.add_subcommand("tune", "Search a controller's parameters on training weather (CMA-ES)");
  add_world_options(command, tuned->world);
  command.add_option("--controller", tuned->controller, "Which one: rule, pid, ...")->capture_default_str();
  command.add_option("--param", tuned->parameters, "Where the search starts; may be repeated")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all();
  command.add_option("--budget", tuned->budget, "Environment steps in all: as many as the policy trains for")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--time-limit", tuned->time_limit_s, "Seconds to search in; the best so far is then written")
      ->check(CLI::PositiveNumber);
  command.add_option("--seasons-per-candidate", tuned->seasons, "Seasons that judge a candidate")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_option("--seed", tuned->seed, "Of the search and the seasons")->capture_default_str();
  command.add_option("--workers", tuned->workers, "Threads; 0: one a processor")->capture_default_str();
  command.add_option("--out", tuned->out, "File to write")->required()->type_name("FILE.yaml");
  command.add_flag("--json", tuned->json, "One JSON object on stdout");
  command.footer(
      "Examples:\n  rltune controller tune --plant lettuce --controller rule --budget 1000000 --out rule.yaml\n"
      "  rltune policy evaluate --plant lettuce --controller rule.yaml --episodes 20");
  command.callback([tuned] { tune_command(*tuned); });
  add_autotune_command(controller);
}

}  // namespace rltune::lab
