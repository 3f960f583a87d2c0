#include "world.hpp"

#include <cmath>
#include <format>

#include "common.hpp"
#include "rltune/base/log.hpp"
#include "rltune/env/environments.hpp"

namespace rltune::lab {
namespace {

env::Task task_of(const WorldOptions& options) {
  env::Task task = or_stop(env::make_task(options.plant));
  if (options.days == 0) return task;
  if (task.schedule)
    stop(kWrongUsage,
         std::format("the plant '{}' brings its own schedule; --days does not apply to it", options.plant));
  const auto model = or_stop(env::make_plant(options.plant, 1));
  task.steps = static_cast<std::size_t>(std::lround(options.days * 86400.0 / model->spec().sample_period_s));
  return task;
}

env::Randomisation randomisation_of(const WorldOptions& options, const env::PlantSpec& plant) {
  env::Randomisation randomisation;
  if (!options.randomisation.empty()) randomisation = or_stop(env::load_randomisation(options.randomisation, plant));
  const double half = options.parameter_noise / 2.0;
  if (half > 0.0 && options.per == "episode")
    randomisation.all_parameters = env::Distribution{env::Distribution::Kind::uniform, 1.0 - half, 1.0 + half};
  else if (half > 0.0)
    randomisation.parameter_noise = options.parameter_noise;
  if (options.observation_noise > 0.0)
    for (const env::Variable& measurement : plant.measurements)
      randomisation.sensor_noise[measurement.name].relative = options.observation_noise;
  return randomisation;
}

// Synthetic weather comes in any year: the one that a season starts in, and the next where it needs it. A twin that
// serves the same seed and start has the same weather.
void choose_year(const WorldOptions& options, const World& world, env::WeatherSource& source) {
  const TimePoint start = or_stop(env::parse_local_time(options.start, "UTC"));
  const auto day = std::chrono::floor<std::chrono::days>(start);
  const std::chrono::year year = std::chrono::year_month_day{day}.year();
  const double season_s = static_cast<double>(world.task.steps) * world.plant.sample_period_s;
  source.synthetic.year = static_cast<int>(year);
  source.synthetic.days = to_seconds(std::chrono::sys_days{year / 12 / 31} - start) > season_s ? 365 : 730;
  source.years = 1;
}

env::ForecastModel forecast_of(const WorldOptions& options) {
  using Kind = env::ForecastModel::Kind;
  return {options.forecast == "perfect" ? Kind::perfect : Kind::persistence, options.forecast_hours};
}

void say_repairs(const env::Weather& weather) {
  if (weather.repaired_rows > 0)
    log::warning("weather rows were missing or bad and are interpolated",
                 {{"file", weather.name}, {"rows", std::to_string(weather.repaired_rows)}});
  for (const std::string& note : weather.notes) log::warning(note, {{"file", weather.name}});
}

}  // namespace

std::vector<CLI::Option*> add_world_options(CLI::App& command, WorldOptions& options) {
  const std::size_t before = command.get_options().size();
  command.add_option("--plant", options.plant, "Plant, as 'rltune plant list' names it")->required();
  command.add_option("--weather", options.weather, "CSV (gzip too) or EPW file, or 'synthetic'")->capture_default_str();
  command
      .add_option("--time-zone", options.time_zone,
                  "What times in a CSV file and --start mean: Europe/Amsterdam, +01:00")
      ->capture_default_str();
  command.add_option("--weather-seed", options.weather_seed, "Which synthetic weather")->capture_default_str();
  command.add_option("--days", options.days, "Length of a season; the plant's task says it by default")
      ->check(CLI::Range(1, 3650));
  add_set_option(command, options.settings);
  command.add_option("--parameter-noise", options.parameter_noise, "D: each physical parameter times 1 + U(-D/2, D/2)")
      ->check(CLI::Range(0.0, 1.0));
  command.add_option("--per", options.per, "How often parameters are drawn: step or episode")
      ->check(CLI::IsMember({"step", "episode"}))
      ->capture_default_str();
  command.add_option("--observation-noise", options.observation_noise, "D: each measurement times 1 + D N(0, 1)")
      ->check(CLI::Range(0.0, 1.0));
  command
      .add_option("--forecast", options.forecast,
                  "What controllers are told of the weather ahead: perfect or persistence")
      ->check(CLI::IsMember({"perfect", "persistence"}))
      ->capture_default_str();
  command
      .add_option("--forecast-hours", options.forecast_hours,
                  "Persistence: after so long the forecast is mostly yesterday")
      ->check(CLI::Range(0.1, 1000.0))
      ->capture_default_str();
  command.add_option("--randomisation", options.randomisation, "YAML file: what differs from episode to episode")
      ->type_name("FILE");
  const std::vector<CLI::Option*> all = command.get_options();
  return {all.begin() + static_cast<std::ptrdiff_t>(before), all.end()};
}

void add_environment_option(CLI::App& command, std::string& environment, const std::vector<CLI::Option*>& world) {
  CLI::Option* option = command.add_option("--environment", environment, "A task without a plant, instead of --plant")
                            ->check(CLI::IsMember(env::environment_names()));
  for (CLI::Option* one : world) one->required(false)->excludes(option);
}

World make_world(const WorldOptions& options) {
  World world{.overrides = parse_settings(options.settings), .forecast = forecast_of(options)};
  world.plant = or_stop(env::make_plant(options.plant, 1, world.overrides))->spec();
  world.task = task_of(options);
  world.randomisation = randomisation_of(options, world.plant);
  if (world.task.schedule) {
    world.weather = world.task.schedule->name;
    return world;
  }
  env::WeatherSource source{.from = options.weather, .time_zone = options.time_zone, .years = options.weather_years};
  source.synthetic.seed = options.weather_seed;
  if (options.weather == "synthetic" && !options.start.empty()) choose_year(options, world, source);
  for (const env::Weather& weather : or_stop(env::open_weather(source))) {
    say_repairs(weather);
    world.series.push_back(or_stop(env::to_exogenous(weather, world.plant)));
  }
  world.weather = options.weather == "synthetic" ? std::format("synthetic, seed {}", options.weather_seed)
                                                 : world.series.front()->name;
  return world;
}

env::Task task_with_leads(const World& world, int leads) {
  const bool weather = !world.task.schedule && !world.plant.exogenous.empty();
  if (leads < 0) leads = weather ? 12 : world.task.schedule ? 2 : 0;
  env::Task task = or_stop(env::make_task(world.plant.name, {.forecast_leads = static_cast<std::size_t>(leads)}));
  task.steps = world.task.steps;
  return task;
}

evaluation::EvaluationOptions World::evaluation() const {
  return {.task = task, .parameters = overrides, .forecast = forecast, .randomisation = randomisation};
}

env::SimulationOptions World::simulation() const {
  env::SimulationOptions options{
      .task = task, .parameters = overrides, .forecast = forecast, .randomisation = randomisation};
  for (const auto& one : series) {
    const double period_s = one->row_period_s * static_cast<double>(one->stride);
    const auto starts =
        env::starts_within(one, task, static_cast<std::size_t>(std::max(1.0, std::round(86400.0 / period_s))));
    options.starts.insert(options.starts.end(), starts.begin(), starts.end());
  }
  if (!task.schedule && options.starts.empty())
    stop(kWrongUsage, std::format("no whole season of {} steps fits into the weather", task.steps));
  return options;
}

}  // namespace rltune::lab
