#include "serve.hpp"

#include <sys/random.h>

#include <cmath>
#include <cstdio>
#include <format>
#include <nlohmann/json.hpp>
#include <print>

#include "rltune/base/file.hpp"
#include "rltune/base/interrupt.hpp"
#include "rltune/base/log.hpp"
#include "rltune/env/weather.hpp"
#include "rltune/metrics/endpoint.hpp"
#include "rltune/twin/twin.hpp"

namespace rltune::twin {
namespace {

// The date of the published season, in weather that has any.
constexpr const char* kSyntheticStart = "2014-02-09";

Result<std::string> read_password(const std::filesystem::path& file) {
  auto text = read_file(file);
  if (!text) return text;
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  if (text->empty()) return fail(Errc::invalid_argument, file.string() + " is empty; it has to hold the password");
  return text;
}

// The password of a twin that was told none: random, made once, kept for its owner alone.
Result<std::string> own_password(const std::filesystem::path& file) {
  if (std::filesystem::exists(file)) return read_password(file);
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return fail(Errc::io, "no random numbers for a password");
  std::string password;
  for (const unsigned char byte : bytes) password += std::format("{:02x}", byte);
  if (auto written = write_secret_file(file, password + "\n"); !written) return std::unexpected(written.error());
  return password;
}

Result<TimePoint> parse_start(const std::string& text, const std::string& time_zone) {
  auto time = env::parse_local_time(text, time_zone);
  if (!time) return fail(Errc::invalid_argument, "--start: " + time.error().message);
  return time;
}

// Synthetic weather comes in any year: the one that --start names, and the next where the season needs it.
Result<env::SyntheticOptions> synthetic_options(const ServeArguments& arguments, const std::string& start,
                                                double season_days) {
  const auto time = parse_start(start, "UTC");
  if (!time) return std::unexpected(time.error());
  const auto day = std::chrono::floor<std::chrono::days>(*time);
  const std::chrono::year year = std::chrono::year_month_day{day}.year();
  const bool fits = to_seconds(std::chrono::sys_days{year / 12 / 31} - *time) > season_days * 86400.0;
  return env::SyntheticOptions{
      .seed = arguments.weather_seed, .year = static_cast<int>(year), .days = fits ? 365 : 730};
}

Result<env::Start> choose_start(const ServeArguments& arguments, const env::Task& task, const env::PlantSpec& plant) {
  const bool synthetic = arguments.weather == "synthetic";
  const std::string wanted = arguments.start.empty() && synthetic ? kSyntheticStart : arguments.start;
  env::WeatherSource source{.from = arguments.weather, .time_zone = arguments.time_zone, .years = 1};
  if (synthetic) {
    const auto options =
        synthetic_options(arguments, wanted, static_cast<double>(task.steps) * plant.sample_period_s / 86400.0);
    if (!options) return std::unexpected(options.error());
    source.synthetic = *options;
  }
  auto weathers = env::open_weather(source);
  if (!weathers) return std::unexpected(weathers.error());
  for (const std::string& note : weathers->front().notes) log::warning(note);
  auto series = env::to_exogenous(weathers->front(), plant);
  if (!series) return std::unexpected(series.error());
  if (wanted.empty()) return env::Start{*series, 0};
  const auto time = parse_start(wanted, weathers->front().time_zone);
  if (!time) return std::unexpected(time.error());
  return env::start_at(*series, task, *time);
}

Result<> add_noise(const ServeArguments& arguments, const env::PlantSpec& plant, env::SimulationOptions& options) {
  if (!arguments.randomisation.empty()) {
    auto loaded = env::load_randomisation(arguments.randomisation, plant);
    if (!loaded) return std::unexpected(loaded.error());
    options.randomisation = std::move(*loaded);
  }
  const double half = arguments.parameter_noise / 2;
  if (half > 0.0 && arguments.parameter_noise_per == "episode")
    options.randomisation.all_parameters = {env::Distribution::Kind::uniform, 1.0 - half, 1.0 + half};
  else if (half > 0.0)
    options.randomisation.parameter_noise = arguments.parameter_noise;
  if (arguments.observation_noise > 0.0)
    for (const env::Variable& sensor : plant.measurements)
      options.randomisation.sensor_noise[sensor.name].relative = arguments.observation_noise;
  if (arguments.forecast == "persistence")
    options.forecast = {env::ForecastModel::Kind::persistence, arguments.forecast_hours};
  return {};
}

// A season longer than the plant's schedule of set-points begins it again and again.
void repeat_schedule(env::Task& task) {
  if (!task.schedule) return;
  auto longer = std::make_shared<env::ExogenousSeries>(*task.schedule);
  while (longer->rows() <= task.steps)
    for (std::size_t i = 0; i < task.schedule->values.size(); ++i) longer->values.push_back(task.schedule->values[i]);
  task.schedule = std::move(longer);
}

Result<TwinOptions> simulation_options(const ServeArguments& arguments) {
  auto model = env::make_plant(arguments.plant, 1, arguments.settings);
  if (!model) return std::unexpected(model.error());
  const env::PlantSpec& plant = (*model)->spec();
  auto task = env::make_task(arguments.plant, {.forecast_leads = arguments.forecast_leads});
  if (!task) return std::unexpected(task.error());
  if (arguments.days > 0.0)
    task->steps = static_cast<std::size_t>(std::lround(arguments.days * 86400.0 / plant.sample_period_s));
  repeat_schedule(*task);
  TwinOptions options;
  env::Start start{task->schedule, 0};
  if (!task->schedule) {
    auto chosen = choose_start(arguments, *task, plant);
    if (!chosen) return std::unexpected(chosen.error());
    start = *chosen;
  }
  options.start = start.series->start.value_or(TimePoint{std::chrono::sys_days{std::chrono::year{2001} / 1 / 1}}) +
                  from_seconds(static_cast<double>(start.row) * start.series->row_period_s);
  options.simulation = {.task = std::move(*task), .parameters = arguments.settings, .starts = {start}};
  if (auto added = add_noise(arguments, plant, options.simulation); !added) return std::unexpected(added.error());
  options.seed = arguments.seed;
  return options;
}

Result<> add_logins(const ServeArguments& arguments, TwinOptions& options) {
  const auto own = arguments.pki / "own/password";
  auto password = arguments.password_file.empty() ? own_password(own) : read_password(arguments.password_file);
  if (!password) return std::unexpected(password.error());
  options.host = {arguments.user, *password};
  if (arguments.dcs_user.empty()) return {};
  auto operators = read_password(arguments.dcs_password_file);
  if (!operators) return std::unexpected(operators.error());
  options.operators.push_back({arguments.dcs_user, *operators});
  return {};
}

Result<TwinOptions> twin_options(const ServeArguments& arguments) {
  auto options = simulation_options(arguments);
  if (!options) return options;
  options->clock = arguments.clock == "plant" ? ClockMode::plant : ClockMode::wall;
  options->speed = arguments.speed;
  options->sensor_period = from_seconds(arguments.sample_period_s);
  options->shed_after = from_seconds(arguments.shed_after_s);
  options->test_faults = arguments.test_faults;
  options->state = arguments.state;
  options->state_sync = arguments.state_sync;
  options->dcs_file = arguments.dcs_file;
  options->listen = arguments.listen;
  options->port = arguments.port;
  options->pki = arguments.pki;
  options->trust = arguments.trust;
  options->allow_none = arguments.allow_none;
  if (auto added = add_logins(arguments, *options); !added) return std::unexpected(added.error());
  return options;
}

nlohmann::ordered_json describe(const TagSpec& tag, const std::string& namespace_uri) {
  constexpr std::array kKinds{"double", "boolean", "int32", "uint32", "string", "datetime", "double[]"};
  constexpr std::array kAccess{"read", "write", "operator"};
  nlohmann::ordered_json json{{"name", tag.name},
                              {"node", std::format("nsu={};s={}", namespace_uri, tag.name)},
                              {"folder", tag.folder},
                              {"type", kKinds[static_cast<std::size_t>(tag.kind)]},
                              {"access", kAccess[static_cast<std::size_t>(tag.access)]}};
  if (!tag.unit.empty()) json["unit"] = tag.unit;
  if (tag.low < tag.high) json["range"] = {tag.low, tag.high};
  if (tag.kind == TagKind::reals) json["elements"] = tag.elements;
  return json;
}

nlohmann::ordered_json describe(const Twin& twin, const ServeArguments& arguments, const TwinOptions& options) {
  nlohmann::ordered_json json{{"url", twin.url()},
                              {"plant", arguments.plant},
                              {"namespace", twin.namespace_uri()},
                              {"application_uri", twin.namespace_uri()},
                              {"certificate", std::filesystem::absolute(twin.certificate()).string()},
                              {"user", arguments.user},
                              {"clock", arguments.clock},
                              {"start", format_rfc3339(options.start)},
                              {"step", twin.steps_done()},
                              {"steps", options.simulation.task.steps},
                              {"sample_period_s", twin.sample_period_s()}};
  if (arguments.password_file.empty())
    json["password_file"] = std::filesystem::absolute(arguments.pki / "own/password").string();
  else
    json["password_file"] = std::filesystem::absolute(arguments.password_file).string();
  json["tags"] = nlohmann::ordered_json::array();
  for (const TagSpec& tag : twin.tags()) json["tags"].push_back(describe(tag, twin.namespace_uri()));
  return json;
}

}  // namespace

Result<> serve(const ServeArguments& arguments) {
  const auto options = twin_options(arguments);
  if (!options) return std::unexpected(options.error());
  const WallClock clock;
  catch_interrupts();
  auto twin = Twin::start(*options, clock);
  if (!twin) return std::unexpected(twin.error());
  log::info("twin is ready", {{"url", (*twin)->url()}, {"plant", arguments.plant}, {"clock", arguments.clock}});
  metrics::Operations operations("twin", clock);
  if (arguments.endpoint_port) operations.open(*arguments.endpoint_port);
  if (arguments.json) {
    auto ready = describe(**twin, arguments, *options);
    if (arguments.endpoint_port) ready["endpoint"] = operations.address();
    std::println("{}", ready.dump());
    std::fflush(stdout);
  }
  metrics::Counter& steps =
      operations.registry.counter("rltune_process_data_twin_steps_total", "Steps of the plant that the twin made");
  auto served = (*twin)->run([&] {
    steps.follow((*twin)->steps_done());
    operations.health.report({{"server", true, (*twin)->url()}});
    return interrupted();
  });
  log::info("twin stops", {{"steps", std::to_string((*twin)->steps_done())}});
  return served;
}

}  // namespace rltune::twin
