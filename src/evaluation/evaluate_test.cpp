#include "rltune/evaluation/evaluate.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "rltune/controllers/registry.hpp"
#include "rltune/controllers/schedule.hpp"
#include "rltune/env/weather.hpp"
#include "rltune/evaluation/summary.hpp"

namespace rltune::evaluation {
namespace {

env::PlantSpec plant(const std::string& name) { return env::make_plant(name, 1).value()->spec(); }

ControllerFactory factory(const std::string& name, const std::string& plant_name,
                          const controllers::ParameterValues& values = {}) {
  return [=] { return controllers::make_controller(name, plant(plant_name), values); };
}

SeriesList series_of(const env::WeatherSource& source) {
  SeriesList list;
  const auto years = env::open_weather(source);
  EXPECT_TRUE(years) << years.error().message;
  for (const env::Weather& weather : *years) list.push_back(env::to_exogenous(weather, plant("lettuce")).value());
  return list;
}

SeriesList synthetic() {
  env::WeatherSource source;
  source.years = 1;
  return series_of(source);
}

EvaluationOptions lettuce(std::size_t days) {
  EvaluationOptions options{.task = env::make_task("lettuce").value()};
  options.task.steps = days * 48;
  return options;
}

// The published season; empty where the file is not there.
std::vector<Season> published() {
  const std::filesystem::path file = RLTUNE_SOURCE_DIR "/../shared/data/weather-bleiswijk-2014.csv.gz";
  if (!std::filesystem::exists(file)) return {};
  const SeriesList list = series_of({.from = file});
  return seasons_at(list, env::make_task("lettuce").value(), env::parse_local_time("2014-02-09", "UTC").value(), 1, 1)
      .value();
}

double published_return(const std::string& controller) {
  return evaluate(factory(controller, "lettuce"), published(), lettuce(40)).value().front().total;
}

#define SKIP_WITHOUT_SEASON() \
  if (published().empty()) GTEST_SKIP() << "../shared/data/weather-bleiswijk-2014.csv.gz is not there"

// van Laatum et al. 2026, as coded in lettuce-greenhouse-gym.
TEST(PublishedSeason, all_off) {
  SKIP_WITHOUT_SEASON();
  EXPECT_NEAR(published_return("off"), -64.53472461089223, 1e-9);
}

TEST(PublishedSeason, hold) {
  SKIP_WITHOUT_SEASON();
  EXPECT_NEAR(published_return("hold"), -73.57157594819853, 1e-9);
}

TEST(PublishedSeason, grower) {
  SKIP_WITHOUT_SEASON();
  EXPECT_NEAR(published_return("grower"), -4.2392, 0.15);
}

// pc-gym's table: the mid-range input, held, noise-free.
TEST(PublishedTasks, constant_input) {
  for (const auto& [name, expected] : {std::pair{"cstr", -512.525932}, {"four-tank", -13.693861}}) {
    const EvaluationOptions options{.task = env::make_task(name).value()};
    const auto seasons = spread_seasons({}, options.task, 1, 1).value();
    EXPECT_NEAR(evaluate(factory("hold", name), seasons, options).value().front().total, expected, 1e-5) << name;
  }
}

TEST(Evaluate, parts_sum_to_the_return_and_traces_hold_every_step) {
  EvaluationOptions options = lettuce(3);
  options.trace = true;
  const auto seasons = spread_seasons(synthetic(), options.task, 2, 1).value();
  const auto episodes = evaluate(factory("rule", "lettuce"), seasons, options).value();
  for (const Episode& episode : episodes) {
    double sum = 0.0, traced = 0.0;
    for (double term : episode.terms) sum += term;
    for (double term : episode.trace.terms) traced += term;
    EXPECT_NEAR(sum, episode.total, 1e-12);
    EXPECT_NEAR(traced, episode.total, 1e-12);
    EXPECT_EQ(episode.steps, 144U);
    EXPECT_EQ(episode.trace.inputs.size(), 144U * 3);
    EXPECT_EQ(episode.trace.measurements.size(), 145U * 4);
    EXPECT_EQ(episode.trace.exogenous.size(), 144U * 4);
  }
}

TEST(Evaluate, violations_follow_from_the_trace) {
  EvaluationOptions options = lettuce(10);
  options.trace = true;
  const auto seasons = spread_seasons(synthetic(), options.task, 1, 1).value();
  const Episode episode = std::move(evaluate(factory("off", "lettuce"), seasons, options).value().front());
  std::size_t steps = 0;
  double degree_hours = 0.0;
  for (std::size_t row = 1; row <= episode.steps; ++row) {
    const double cold = 10.0 - episode.trace.measurements[row * 4 + 2];
    if (cold <= 0.0) continue;
    ++steps;
    degree_hours += cold * 0.5;
  }
  ASSERT_GT(steps, 100U);  // January without heat
  EXPECT_EQ(episode.violations[1].name, "air_temperature");
  EXPECT_EQ(episode.violations[1].steps, steps);
  EXPECT_NEAR(episode.violations[1].unit_hours, degree_hours, 1e-9);
}

TEST(Evaluate, the_number_of_workers_changes_nothing) {
  EvaluationOptions options = lettuce(5);
  options.randomisation.parameter_noise = 0.2;
  options.randomisation.sensor_noise["air_temperature"] = {0.3, 0.0};
  const auto seasons = spread_seasons(synthetic(), options.task, 5, 9).value();
  std::vector<std::vector<double>> totals;
  for (unsigned workers : {1U, 2U, 5U}) {
    options.workers = workers;
    std::vector<double>& run = totals.emplace_back();
    const auto episodes = evaluate(factory("pid", "lettuce"), seasons, options).value();
    for (const Episode& episode : episodes) run.push_back(episode.total);
  }
  EXPECT_EQ(totals[0], totals[1]);
  EXPECT_EQ(totals[0], totals[2]);
}

TEST(Evaluate, seeds_change_the_noise_and_only_that) {
  EvaluationOptions options = lettuce(2);
  options.randomisation.all_parameters = env::Distribution{env::Distribution::Kind::uniform, 0.9, 1.1};
  const auto total = [&](std::uint64_t seed) {
    return evaluate(factory("hold", "lettuce"), spread_seasons(synthetic(), options.task, 1, seed).value(), options)
        .value()
        .front()
        .total;
  };
  EXPECT_EQ(total(1), total(1));
  EXPECT_NE(total(1), total(2));
}

TEST(Evaluate, a_faulty_controller_holds_the_inputs_and_is_counted) {
  class Faulty final : public controllers::Controller {
   public:
    std::string_view name() const noexcept override { return "faulty"; }
    void reset(const env::Snapshot&) noexcept override {}
    controllers::Outcome act(const env::Snapshot&, std::span<double> inputs) noexcept override {
      std::ranges::fill(inputs, 1e9);
      return controllers::Outcome::fault;
    }
  };
  const EvaluationOptions options = lettuce(1);
  const auto seasons = spread_seasons(synthetic(), options.task, 1, 1).value();
  const auto faulty =
      evaluate([] -> Result<std::unique_ptr<controllers::Controller>> { return std::make_unique<Faulty>(); }, seasons,
               options)
          .value();
  const auto hold = evaluate(factory("hold", "lettuce"), seasons, options).value();
  EXPECT_EQ(faulty.front().total, hold.front().total);
  EXPECT_EQ(faulty.front().faults, 48U);
}

TEST(Evaluate, a_recorded_tape_returns_the_same_on_its_own_season) {
  EvaluationOptions options = lettuce(4);
  const auto seasons = spread_seasons(synthetic(), options.task, 3, 1).value();
  const auto tape = record_inputs(factory("rule", "lettuce"), seasons[0], options).value();
  const auto replayed = [&] -> Result<std::unique_ptr<controllers::Controller>> {
    return controllers::make_tape(plant("lettuce"), tape);
  };
  const auto blind = evaluate(replayed, seasons, options).value();
  const auto live = evaluate(factory("rule", "lettuce"), seasons, options).value();
  EXPECT_NEAR(blind[0].total, live[0].total, 1e-12);
  EXPECT_NE(blind[2].total, live[2].total);
}

TEST(Seasons, spread_from_the_first_to_the_last_usable_day) {
  const env::Task task = lettuce(40).task;
  const auto seasons = spread_seasons(synthetic(), task, 4, 7).value();
  EXPECT_EQ(seasons.front().label, "2001-01-01T00:00:00Z");
  EXPECT_EQ(seasons.back().label, "2001-11-21T00:00:00Z");  // 365 days: the last row is 31 December 23:30
  EXPECT_EQ(seasons[2].seed, 9U);
  env::Task long_task = task;
  long_task.steps = 48 * 400;
  EXPECT_EQ(spread_seasons(synthetic(), long_task, 4, 7).error().code, Errc::invalid_argument);
}

TEST(Summary, figures_and_paired_gain) {
  const auto episode = [](const char* label, double total, double hours) {
    Episode made{.label = label, .total = total};
    made.terms = {total};
    made.violations = {{"air_temperature", "degC", 10.0, 20.0, 3, hours, hours / 2}};
    return made;
  };
  const std::vector<Episode> better{episode("a", 2.0, 1.0), episode("b", 3.0, 0.0), episode("c", 1.0, 2.0)};
  const std::vector<Episode> worse{episode("a", 1.5, 2.0), episode("b", 2.0, 2.0), episode("c", 1.1, 2.0)};
  const Summary summary = summarize(better);
  EXPECT_DOUBLE_EQ(summary.mean, 2.0);
  EXPECT_DOUBLE_EQ(summary.minimum, 1.0);
  EXPECT_DOUBLE_EQ(summary.violations[0].unit_hours, 3.0);
  EXPECT_DOUBLE_EQ(summary.violations[0].worst, 1.0);
  EXPECT_EQ(summary.violations[0].steps, 9U);
  const PairedGain gain = compare(better, worse).value();
  EXPECT_NEAR(gain.mean, (0.5 + 1.0 - 0.1) / 3, 1e-12);
  EXPECT_EQ(gain.wins, 2U);
  EXPECT_NEAR(gain.unit_hours, 0.3, 1e-12);
  EXPECT_NEAR(gain.unit_hours_against, 0.6, 1e-12);
  EXPECT_LE(gain.mean_interval.low, gain.mean);
  EXPECT_GE(gain.mean_interval.high, gain.mean);
  EXPECT_FALSE(compare(better, {worse[0], worse[1]}));
  EXPECT_FALSE(compare(better, {worse[1], worse[0], worse[2]}));
}

}  // namespace
}  // namespace rltune::evaluation
