// rltune policy evaluate: one season or many, of a policy or a classical controller.
#include <filesystem>
#include <format>
#include <memory>
#include <nlohmann/json.hpp>
#include <print>

#include "common.hpp"
#include "entrant.hpp"
#include "evaluate_environment.hpp"
#include "evaluation_json.hpp"
#include "rltune/base/file.hpp"
#include "rltune/config/site.hpp"
#include "rltune/controllers/schedule.hpp"
#include "rltune/evaluation/guarded.hpp"
#include "rltune/policy/artifact.hpp"
#include "world.hpp"

namespace rltune::lab {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kEnvironmentEpisodes = 100;
constexpr const char* kPlainGuard = "default";

struct EvaluateOptions {
  WorldOptions world;
  std::string controller, against, trace, guard, out;
  std::vector<std::string> policies;  // folders
  std::vector<std::string> parameters;
  std::size_t episodes = 0;  // 0: 1 of a plant, 100 of an environment
  std::uint64_t seed = 1;
  unsigned workers = 0;
  bool blind_replay = false, json = false, fail_if_worse = false;
};

std::vector<evaluation::Season> seasons_of(const EvaluateOptions& options, const World& world) {
  if (options.world.start.empty())
    return or_stop(evaluation::spread_seasons(world.series, world.task, options.episodes, options.seed));
  if (world.task.schedule)
    stop(kWrongUsage,
         std::format("the plant '{}' brings its own schedule; --start does not apply to it", world.plant.name));
  const std::string zone = options.world.weather == "synthetic" ? "UTC" : options.world.time_zone;
  const TimePoint start = or_stop(env::parse_local_time(options.world.start, zone));
  return or_stop(evaluation::seasons_at(world.series, world.task, start, options.episodes, options.seed));
}

ordered_json describe(const Entrant& entrant) {
  ordered_json object{{"controller", entrant.name}, {"kind", entrant.kind}};
  if (!entrant.parameters.empty()) object["parameters"] = entrant.parameters;
  if (!entrant.policy_sha256.empty()) object["policy_sha256"] = entrant.policy_sha256;
  return object;
}

ordered_json describe(const EvaluateOptions& options, const World& world) {
  ordered_json object{{"plant", world.plant.name},
                      {"weather", world.weather},
                      {"season_steps", world.task.steps},
                      {"season_days", static_cast<double>(world.task.steps) * world.plant.sample_period_s / 86400.0},
                      {"episodes", options.episodes},
                      {"seed", options.seed},
                      {"parameter_noise", options.world.parameter_noise},
                      {"parameter_noise_per", options.world.per},
                      {"observation_noise", options.world.observation_noise},
                      {"forecast", options.world.forecast}};
  if (!world.overrides.empty()) object["settings"] = world.overrides;
  if (!options.world.randomisation.empty()) object["randomisation"] = options.world.randomisation;
  if (!options.guard.empty()) object["guard_rules"] = options.guard;
  return object;
}

std::optional<evaluation::GuardedPlant> guard_of(const EvaluateOptions& options, const env::PlantSpec& plant) {
  if (options.guard.empty()) return std::nullopt;
  if (options.guard == kPlainGuard) return or_stop(evaluation::GuardedPlant::of_ranges(plant));
  return or_stop(evaluation::GuardedPlant::of_site(or_stop(config::load_site(options.guard)), plant));
}

// Plays the seasons, behind the guard if one was asked for; what that did goes into the figures.
std::vector<evaluation::Episode> play(const Entrant& entrant, const EvaluateOptions& options, const World& world,
                                      const std::vector<evaluation::Season>& seasons,
                                      const evaluation::EvaluationOptions& how, ordered_json& figures) {
  const auto guard = guard_of(options, world.plant);
  auto episodes = or_stop(evaluation::evaluate(guard ? guard->guard(entrant.make) : entrant.make, seasons, how));
  if (guard) figures["guard"] = to_json(guard->tally());
  return episodes;
}

// A season's rows, for a spreadsheet.
std::string to_csv(const evaluation::Episode& episode, const env::PlantSpec& plant) {
  std::string text = "step,hours";
  const auto head = [&text](const env::Space& space, const char* prefix) {
    for (const env::Variable& variable : space) text += std::format(",{}{}", prefix, variable.name);
  };
  head(plant.measurements, "");
  head(plant.inputs, "set_");
  head(plant.exogenous, "");
  head(plant.reward_terms, "term_");
  text += "\n";
  const auto row = [&text](const std::vector<double>& rows, std::size_t step, std::size_t columns) {
    for (std::size_t i = 0; i < columns; ++i) text += std::format(",{}", rows[step * columns + i]);
  };
  for (std::size_t step = 0; step < episode.steps; ++step) {
    text += std::format("{},{}", step, static_cast<double>(step) * plant.sample_period_s / 3600.0);
    row(episode.trace.measurements, step, plant.measurements.size());
    row(episode.trace.inputs, step, plant.inputs.size());
    row(episode.trace.exogenous, step, plant.exogenous.size());
    row(episode.trace.terms, step, plant.reward_terms.size());
    text += "\n";
  }
  return text;
}

ordered_json list_of(const std::vector<evaluation::Episode>& episodes, const env::PlantSpec& plant) {
  ordered_json list = ordered_json::array();
  for (const evaluation::Episode& episode : episodes) list.push_back(to_json(episode, plant));
  return list;
}

// The first season's inputs, played blind on all of them: what a score owes to knowing the weather.
ordered_json blind_replay(const Entrant& entrant, const std::vector<evaluation::Season>& seasons,
                          const std::vector<evaluation::Episode>& live, const World& world,
                          const evaluation::EvaluationOptions& options) {
  const std::vector<double> tape = or_stop(evaluation::record_inputs(entrant.make, seasons.front(), options));
  const auto make = [&]() -> Result<std::unique_ptr<controllers::Controller>> {
    return controllers::make_tape(world.plant, tape);
  };
  auto replayed = or_stop(evaluation::evaluate(make, seasons, options));
  ordered_json object{{"recorded_in", seasons.front().label}, {"return_there", replayed.front().total}};
  if (seasons.size() < 2) return object;
  const std::vector<evaluation::Episode> blind(replayed.begin() + 1, replayed.end()),
      seeing(live.begin() + 1, live.end());
  object["elsewhere"] = to_json(evaluation::summarize(blind), world.plant);
  object["gain_of_seeing"] = to_json(or_stop(evaluation::compare(seeing, blind)));
  return object;
}

void print_guard(const ordered_json& guard) {
  std::println("  {:<20} stepped in at {} of {}", "guard", guard["intervened"].get<std::size_t>(),
               counted(guard["decisions"].get<std::size_t>(), "decision"));
  for (const auto& output : guard["outputs"])
    for (const auto& [reason, count] : output["reasons"].items())
      std::println("    {:<18} {} {}", output["name"].get<std::string>(), reason,
                   counted(count.get<std::size_t>(), "time"));
}

void print_summary(const char* title, const ordered_json& figures) {
  std::println("{:<22} {:.6g} {}", title, figures["return"].get<double>(), figures["return_unit"].get<std::string>());
  for (const auto& [name, value] : figures["terms"].items()) std::println("  {:<20} {:.6g}", name, value.get<double>());
  for (const auto& limit : figures["violations"])
    std::println("  {:<20} out of {:g}-{:g} {} in {}, {:.1f} {}-hours, worst {:.2f}", limit["name"].get<std::string>(),
                 limit["low"].get<double>(), limit["high"].get<double>(), limit["unit"].get<std::string>(),
                 counted(limit["steps"].get<std::size_t>(), "step"), limit["unit_hours"].get<double>(),
                 limit["unit"].get<std::string>(), limit["worst"].get<double>());
  if (figures.contains("guard")) print_guard(figures["guard"]);
}

void print_text(const ordered_json& object) {
  std::println("{} of {:g} days, {}", counted(object["episodes"].get<std::size_t>(), "season"),
               object["season_days"].get<double>(), object["weather"].get<std::string>());
  print_summary(object["controller"].get<std::string>().c_str(), object);
  if (object["episodes"] > 1)
    std::println("  {:<20} {:.6g} to {:.6g} (95 %, interquartile mean)", "interval",
                 object["return_interval"][0].get<double>(), object["return_interval"][1].get<double>());
  if (!object.contains("against")) return;
  print_summary(object["against"]["controller"].get<std::string>().c_str(), object["against"]);
  std::println("gain {:.6g}, 95 % from {:.6g} to {:.6g}, better in {} of {}", object["gain"]["mean"].get<double>(),
               object["gain"]["mean_interval"][0].get<double>(), object["gain"]["mean_interval"][1].get<double>(),
               object["gain"]["wins"].get<std::size_t>(),
               counted(object["gain"]["seasons"].get<std::size_t>(), "season"));
}

void evaluate_command(const EvaluateOptions& options) {
  const World world = make_world(options.world);
  const Entrant entrant = find_entrant(options.controller, options.parameters, world.plant);
  const std::vector<evaluation::Season> seasons = seasons_of(options, world);
  evaluation::EvaluationOptions how = world.evaluation();
  how.workers = options.workers;
  how.trace = !options.trace.empty();
  how.task.forecast_leads = std::max(how.task.forecast_leads, entrant.forecast_leads);
  ordered_json guarded;
  const auto episodes = play(entrant, options, world, seasons, how, guarded);
  if (how.trace) or_stop(write_file(options.trace, to_csv(episodes.front(), world.plant)));
  how.trace = false;

  ordered_json object = describe(options, world);
  object.update(describe(entrant));
  object.update(to_json(evaluation::summarize(episodes), world.plant));
  if (!guarded.is_null()) object.update(guarded);
  if (episodes.size() == 1) object["final_state"] = to_json(episodes.front(), world.plant)["final_state"];
  if (!options.against.empty()) {
    const Entrant other = find_entrant(options.against, {}, world.plant);
    how.task.forecast_leads = std::max(how.task.forecast_leads, other.forecast_leads);
    object["against"] = describe(other);
    const auto others = play(other, options, world, seasons, how, object["against"]);
    object["against"].update(to_json(evaluation::summarize(others), world.plant));
    object["against"]["seasons"] = list_of(others, world.plant);
    object["gain"] = to_json(or_stop(evaluation::compare(episodes, others)));
  }
  if (options.blind_replay) object["blind_replay"] = blind_replay(entrant, seasons, episodes, world, how);
  object["seasons"] = list_of(episodes, world.plant);
  if (!options.out.empty()) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::absolute(options.out).parent_path(), ignored);
    or_stop(write_file(options.out, object.dump(2) + "\n"));
  }
  if (options.json)
    print_json(object);
  else
    print_text(object);
  if (options.fail_if_worse && object["gain"]["mean_interval"][1].get<double>() < 0.0)
    stop(kFailed, std::format("{} is worse than {}, beyond chance", options.controller, options.against));
}

// A folder says itself whether its policy is for a plant or an environment.
void evaluate(EvaluateOptions& options) {
  if (options.policies.empty() && std::filesystem::is_directory(options.controller) && options.world.plant.empty())
    options.policies = {std::exchange(options.controller, "")};
  if (!options.policies.empty()) {
    const policy::Manifest manifest = or_stop(policy::load_artifact(options.policies.front())).manifest;
    if (!manifest.environment.empty()) {
      const ordered_json object = evaluate_environment(
          options.policies, options.episodes > 0 ? options.episodes : kEnvironmentEpisodes, options.seed);
      return options.json ? print_json(object) : print_environment(object);
    }
    if (options.policies.size() > 1) stop(kWrongUsage, "policies for a plant are evaluated one at a time");
    options.controller = options.policies.front();
    if (options.world.plant.empty()) options.world.plant = manifest.plant;
  }
  if (options.fail_if_worse && options.against.empty()) stop(kWrongUsage, "--fail-if-worse needs --against");
  if (options.controller.empty())
    stop(kWrongUsage, "give a policy's folder, or --controller: a name, a folder, or a YAML file");
  if (options.world.plant.empty()) stop(kWrongUsage, "--plant is required");
  options.episodes = std::max<std::size_t>(options.episodes, 1);
  evaluate_command(options);
}

}  // namespace

void add_policy_evaluate_command(CLI::App& policy) {
  const auto options = std::make_shared<EvaluateOptions>();
  options->world.weather_seed = 1001;
  CLI::App& command = *policy.add_subcommand("evaluate", "Return, violations and input use of a policy or controller");
  add_world_options(command, options->world).front()->required(false);
  command.add_option("policy", options->policies,
                     "Folder of a policy: of its own plant or environment; several of one environment: seeds");
  CLI::Option* controller = command.add_option(
      "--controller", options->controller,
      "Controller ('rltune controller list'), folder of a policy, or YAML file of a tuned controller");
  command.add_option("--controller-file", options->controller, "YAML file that 'rltune controller tune' wrote")
      ->type_name("FILE")
      ->excludes(controller);
  command.add_option("--param", options->parameters, "Set a controller's parameter; may be repeated")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all();
  command.add_option("--against", options->against, "Compare with this one on the same seasons");
  command
      .add_option("--guard", options->guard,
                  "Play behind a site's guard: a site.yaml, or 'default', the plant's ranges and rates alone")
      ->type_name("FILE");
  command
      .add_option("--start", options->world.start,
                  "First day, in the weather's time; otherwise seasons are spread over its usable days")
      ->type_name("DATE");
  command.add_option("--episodes", options->episodes, "Seasons of a plant (1), episodes of an environment (100)")
      ->check(CLI::Range(1, 100000));
  command.add_option("--seed", options->seed, "Of what chance brings; season i has seed + i")->capture_default_str();
  command.add_option("--workers", options->workers, "Threads; 0: one a processor")->capture_default_str();
  command.add_option("--trace", options->trace, "Write the first season, a row a step, as CSV")->type_name("FILE");
  command.add_flag("--blind-replay", options->blind_replay, "Also play the first season's inputs blind on the others");
  command.add_flag("--fail-if-worse", options->fail_if_worse,
                   "Exit status 1 where it returns less than --against, by the gain's whole 95 % interval");
  command.add_option("--out", options->out, "Write the JSON object to this file as well")->type_name("FILE");
  command.add_flag("--json", options->json, "One JSON object on stdout");
  command.footer(
      "Examples:\n"
      "  rltune policy evaluate runs/pendulum-1 runs/pendulum-2 runs/pendulum-3 --episodes 100\n"
      "  rltune policy evaluate --plant lettuce --controller rule --episodes 20\n"
      "  rltune policy evaluate --plant lettuce --controller policies/lettuce --against tuned.yaml --episodes 20 \\\n"
      "    --weather weather.csv.gz --parameter-noise 0.2 --per episode --forecast persistence --json\n"
      "  rltune policy evaluate --plant cstr --controller pid --param concentration_gain=6\n"
      "  rltune policy evaluate --plant dompc-cstr --controller policies/reactor --against mpc --guard site.yaml");
  command.callback([options] { evaluate(*options); });
}

}  // namespace rltune::lab
