#include "train_options.hpp"

#include <algorithm>
#include <format>

#include "common.hpp"
#include "rltune/base/file.hpp"
#include "train_environments.hpp"

namespace rltune::lab {
namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t kExaminationSeed = 500;  // added to the weather's and the training's
constexpr std::uint64_t kValidationSeed = 1000;
constexpr std::size_t kExaminationSteps = 30'000;  // of one examination; short episodes are many
constexpr std::size_t kExaminationSeasonsMin = 16, kExaminationSeasonsMax = 256;
constexpr std::size_t kValidationSeasons = 20;

double parameter_value(const env::PlantSpec& plant, const std::string& name) {
  const auto found = std::ranges::find(plant.parameters, name, &env::Parameter::name);
  if (found == plant.parameters.end())
    stop(kWrongUsage, std::format("--margin: {} has no parameter '{}'; 'rltune plant show {}' lists them", plant.name,
                                  name, plant.name));
  return found->value;
}

// The task with its forecast in the observation.
env::Task task_with_forecast(const TrainOptions& options, const World& world) {
  env::Task task = task_with_leads(world, options.forecast_leads);
  if (options.no_margins) task.learning_margins.clear();
  for (const auto& [name, value] : parse_settings(options.margins, "--margin")) task.learning_margins[name] = value;
  return task;
}

// Synthetic weather of other years; of a file, the same rows with other draws of chance.
evaluation::SeriesList other_weather(const TrainOptions& options, const World& world, std::uint64_t seed_offset) {
  if (options.world.weather != "synthetic" || world.task.schedule) return world.series;
  WorldOptions other = options.world;
  other.weather_seed += seed_offset;
  other.weather_years = 8;
  return make_world(other).series;
}

// A policy that was trained on a file is judged on weather that was in no file.
evaluation::SeriesList validation_weather(const TrainOptions& options, const World& world) {
  if (world.task.schedule) return world.series;
  WorldOptions other = options.world;
  other.weather = "synthetic";
  other.weather_seed += kValidationSeed;
  other.weather_years = 8;
  return make_world(other).series;
}

std::vector<evaluation::Season> seasons(const evaluation::SeriesList& series, const env::Task& task, std::size_t count,
                                        std::uint64_t seed) {
  return or_stop(evaluation::spread_seasons(series, task, count, seed));
}

env::Start start_of(const TrainOptions& options, const World& world) {
  const std::string zone = options.world.weather == "synthetic" ? "UTC" : options.world.time_zone;
  const TimePoint time = or_stop(env::parse_local_time(options.start, zone));
  return or_stop(evaluation::seasons_at(world.series, world.task, time, 1, 1)).front().start;
}

void describe_plant(const TrainOptions& options, const TrainPlan& plan, ordered_json& object) {
  object["plant"] = plan.world.plant.name;
  object["plant_parameters_sha256"] = env::parameters_sha256(plan.world.plant);
  object["weather"] = plan.world.weather;
  object["season_steps"] = plan.world.task.steps;
  object["parameter_noise"] = options.world.parameter_noise;
  object["parameter_noise_per"] = options.world.per;
  object["observation_noise"] = options.world.observation_noise;
  object["forecast"] = options.world.forecast;
  object["forecast_hours"] = options.world.forecast_hours;
  object["forecast_leads"] = plan.world.task.forecast_leads;
  if (!plan.world.overrides.empty()) object["settings"] = plan.world.overrides;
  if (options.world.weather == "synthetic" && !plan.world.task.schedule)
    object["weather_years"] = options.world.weather_years;
  if (!options.start.empty()) object["start"] = options.start;
  if (!options.world.randomisation.empty()) object["randomisation"] = or_stop(read_file(options.world.randomisation));
  for (const auto& [name, value] : plan.world.task.learning_margins) object["learning_margins"][name] = value;
}

ordered_json describe(const TrainOptions& options, const TrainPlan& plan) {
  ordered_json object{{"format", "rltune/run/v1"}};
  if (plan.environment.empty())
    describe_plant(options, plan, object);
  else
    object["environment"] = plan.environment;
  if (!plan.history.empty()) object["history"] = {{"frames", plan.history.frames}, {"traces", plan.history.traces}};
  if (plan.dataset)
    object["dataset"] = {{"name", plan.dataset->name},
                         {"transitions", plan.dataset->transitions()},
                         {"sha256", dataset::digest(*plan.dataset)}};
  object["algorithm"] = options.algorithm;
  object["seed"] = options.seed;
  object["steps"] = plan.steps;
  object["instances"] = plan.instances;
  if (options.stop_at_return) object["stop_at_return"] = *options.stop_at_return;
  if (options.patience > 0) object["patience"] = options.patience;
  object["setbacks_max"] = options.setbacks_max;
  for (const rl::Hyperparameter& hyperparameter : plan.hyperparameters.all())
    object["hyperparameters"][hyperparameter.name] = {{"value", hyperparameter.value},
                                                      {"origin", hyperparameter.origin}};
  return object;
}

void plan_plant(const TrainOptions& options, TrainPlan& plan) {
  plan.world = make_world(options.world);
  plan.world.task = task_with_forecast(options, plan.world);
  plan.training = plan.world.simulation();
  for (const auto& [name, margin] : plan.world.task.learning_margins)
    plan.training.parameters[name] = parameter_value(plan.world.plant, name) + margin;
  const env::Task& task = plan.world.task;
  if (!options.start.empty()) {
    if (task.schedule) stop(kWrongUsage, "the plant brings its own schedule; --start does not apply to it");
    plan.training.starts = {start_of(options, plan.world)};
    plan.examination = {{plan.training.starts.front(), plan.examination_seed, options.start}};
  } else {
    const std::size_t count =
        std::clamp(kExaminationSteps / task.steps, kExaminationSeasonsMin, kExaminationSeasonsMax);
    plan.examination =
        seasons(other_weather(options, plan.world, kExaminationSeed), task, count, plan.examination_seed);
  }
  plan.validation_series = validation_weather(options, plan.world);
  plan.validation = seasons(plan.validation_series, task, kValidationSeasons, options.seed + kValidationSeed);
  plan.validation_weather = task.schedule
                                ? plan.world.weather
                                : std::format("synthetic, seed {}", options.world.weather_seed + kValidationSeed);
}

env::HistoryOptions history_of(const TrainOptions& options, const TrainPlan& plan) {
  const bool asked = options.history_frames.has_value() || !options.history_traces.empty();
  const bool of_task = plan.environment.empty() && !rl::learns_offline(options.algorithm);
  if (!asked) return of_task ? plan.world.task.history : env::HistoryOptions{};
  const env::HistoryOptions history{options.history_frames.value_or(1), options.history_traces};
  or_stop(env::check_history(history));
  return history;
}

// Where a policy learned from data is to act, its actions in the plant's own units.
env::EnvironmentSpec spec_for_data(const TrainPlan& plan) {
  env::EnvironmentSpec spec = training_environments(plan).front()->spec();
  if (plan.environment.empty()) spec.action = env::action_space(plan.world.plant.inputs, plan.world.task.action);
  return spec;
}

// The buffer takes all of it, and its rows are one trajectory after the other.
void plan_dataset(const TrainOptions& options, TrainPlan& plan) {
  const bool offline = rl::learns_offline(options.algorithm);
  if (offline == options.dataset.empty())
    stop(kWrongUsage, offline
                          ? std::format("{} learns from data: give --dataset", options.algorithm)
                          : std::format("{} learns by acting; --dataset is for bc, td3-bc and iql", options.algorithm));
  if (!offline) return;
  if (plan.instances != 1) stop(kWrongUsage, "n_envs must be 1 where data is learned from");
  plan.dataset = or_stop(dataset::read(options.dataset));
  if (or_stop(plan.hyperparameters.whole("buffer_size")) != plan.dataset->transitions())
    or_stop(plan.hyperparameters.set("buffer_size", std::to_string(plan.dataset->transitions()), "data set"));
}

}  // namespace

void add_hyper_option(CLI::App& command, std::vector<std::string>& settings) {
  command
      .add_option("--hyper", settings,
                  "Set a hyperparameter; may be repeated (gamma=0.99); 'rltune policy hyperparameters' lists them")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all();
}

void add_train_options(CLI::App& command, TrainOptions& options) {
  options.world.parameter_noise = 0.2;
  options.world.per = "episode";
  options.world.forecast = "persistence";
  add_environment_option(command, options.environment, add_world_options(command, options.world));
  command.add_option("--algorithm", options.algorithm, "How to learn")
      ->check(CLI::IsMember(rl::algorithm_names()))
      ->capture_default_str();
  command.add_option("--dataset", options.dataset, "What an offline algorithm (bc, td3-bc, iql) learns from")
      ->type_name("FILE");
  command.add_option(
      "--steps", options.steps,
      "Transitions in all, gradient steps of an offline algorithm; the plant's defaults say it otherwise");
  command.add_option("--seed", options.seed, "Of everything that chance decides")->capture_default_str();
  add_hyper_option(command, options.hyperparameters);
  command
      .add_option("--margin", options.margins,
                  "Learn as if a parameter were so much larger (limit_temperature_low=1.5); may be repeated")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all();
  command.add_flag("--no-margins", options.no_margins, "Learn with the limits as they are, without the task's margins");
  command.add_option("--start", options.start, "Train on the one season that begins then")->type_name("DATE");
  command
      .add_option("--forecast-leads", options.forecast_leads, "Sample periods of weather ahead that the policy sees")
      ->check(CLI::Range(0, 96));
  command
      .add_option("--history-frames", options.history_frames,
                  "Periods that the policy sees, this one included: where a plant does not show its whole state; "
                  "otherwise the plant's task says how much of the past")
      ->check(CLI::Range(1, 64));
  command
      .add_option("--history-trace", options.history_traces,
                  "Decaying mean of the past that the policy sees, by its rate (0.9); may be repeated")
      ->check(CLI::Range(0.001, 0.9999))
      ->expected(1)
      ->take_all();
  command
      .add_option("--baseline", options.baseline,
                  "Tuned controller that the policy must beat (YAML); one is tuned at the end otherwise")
      ->type_name("FILE");
  command.add_option("--threads", options.threads, "1 or 2; the outcome is the same")
      ->check(CLI::Range(1, 2))
      ->capture_default_str();
  command.add_option("--checkpoint-seconds", options.checkpoint_seconds, "Time between checkpoints")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
  command.add_option("--stop-at-return", options.stop_at_return, "Stop as soon as an examination reaches this return");
  command.add_option("--patience", options.patience, "Stop after so many examinations (20 a run) without a better one");
  command
      .add_option("--setbacks", options.setbacks_max,
                  "Diverged: go back and on with a quarter of the learning rates, at most so often")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  command.add_option("--out", options.out, "Folder of the run and of the policy")->required()->type_name("DIR");
  command.add_flag("--resume", options.resume, "Only continue: an error where there is no checkpoint");
  command.add_flag("--no-validation", options.no_validation,
                   "Leave the final comparison out: auto mode will refuse the policy");
  command.add_flag("--json", options.json, "One JSON object on stdout");
}

const std::string& task_name(const TrainOptions& options) {
  if (options.world.plant.empty() == options.environment.empty())
    stop(kWrongUsage, "give either --plant or --environment: what is to be learned");
  return options.environment.empty() ? options.world.plant : options.environment;
}

rl::Hyperparameters hyperparameters_of(const TrainOptions& options, const std::string& task) {
  rl::Hyperparameters all = or_stop(rl::default_hyperparameters(options.algorithm, task));
  for (const std::string& setting : options.hyperparameters) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) stop(kWrongUsage, std::format("--hyper wants NAME=VALUE, not '{}'", setting));
    or_stop(all.set(setting.substr(0, equals), setting.substr(equals + 1), "command line"));
  }
  if (options.steps > 0) or_stop(all.set("n_timesteps", std::to_string(options.steps), "command line"));
  return all;
}

TrainPlan make_plan(const TrainOptions& options) {
  TrainPlan plan{.environment = options.environment,
                 .hyperparameters = hyperparameters_of(options, task_name(options))};
  plan.steps = or_stop(plan.hyperparameters.whole("n_timesteps"));
  plan.instances = or_stop(plan.hyperparameters.whole("n_envs"));
  if (plan.steps == 0 || plan.instances == 0) stop(kWrongUsage, "n_timesteps and n_envs must be positive");
  plan_dataset(options, plan);
  plan.examination_seed = options.seed + kExaminationSeed;
  if (plan.environment.empty()) plan_plant(options, plan);
  plan.history = history_of(options, plan);
  if (plan.dataset) plan.dataset = or_stop(dataset::fitted(std::move(*plan.dataset), spec_for_data(plan)));
  plan.description = describe(options, plan);
  return plan;
}

}  // namespace rltune::lab
