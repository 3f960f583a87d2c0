#include "rltune/env/simulation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "rltune/env/control_environment.hpp"
#include "rltune/env/weather.hpp"

namespace rltune::env {
namespace {

using testing::Each;
using testing::HasSubstr;

const std::string kBleiswijk = RLTUNE_SOURCE_DIR "/../shared/data/weather-bleiswijk-2014.csv.gz";

// The published season's return for wanted inputs that never change.
double season_return(std::vector<double> wanted) {
  const auto weather = load_weather_csv(kBleiswijk, {.time_zone = "+01:00"});
  EXPECT_TRUE(weather.has_value());
  const Task task = *make_task("lettuce");
  const auto series = to_exogenous(*weather, (*make_plant("lettuce", 1))->spec());
  const auto start = start_at(*series, task, *parse_local_time("2014-02-09", "+01:00"));
  EXPECT_EQ(start->row, 8640U);
  auto simulation = Simulation::make({.task = task, .starts = {*start}});
  double total = 0.0;
  while (!(*simulation)->finished(0)) {
    (*simulation)->step(wanted);
    total += (*simulation)->reward(0);
  }
  EXPECT_EQ((*simulation)->steps_made(0), 1920U);
  return total;
}

TEST(lettuce_season, returns_what_is_published_for_all_off_and_hold) {
  if (!std::filesystem::exists(kBleiswijk)) GTEST_SKIP() << "needs " << kBleiswijk;
  EXPECT_NEAR(season_return({0, 0, 0}), -64.53472461089223, 1e-9);
  EXPECT_NEAR(season_return({0, 0, 50}), -73.57157594819853, 1e-9);
}

std::shared_ptr<const ExogenousSeries> synthetic() {
  static const auto series = *to_exogenous(synthesize_weather(), (*make_plant("lettuce", 1))->spec());
  return series;
}

SimulationOptions short_season(std::size_t instances, std::size_t steps = 40) {
  SimulationOptions options{.task = *make_task("lettuce", {.forecast_leads = 3}), .instances = instances};
  options.task.steps = steps;
  options.starts = starts_within(synthetic(), options.task);
  return options;
}

Randomisation everything() {
  Randomisation made;
  made.all_parameters = Distribution{Distribution::Kind::uniform, 0.9, 1.1};
  made.parameters["c_leak"] = {Distribution::Kind::normal, 1.0, 0.2};
  made.parameter_noise = 0.1;
  made.action_delay_steps = {0, 3};
  made.sensor_noise["co2"] = {20.0, 0.01};
  made.sensor_dropouts["relative_humidity"] = {0.2, {1, 5}};
  made.exogenous["outdoor_temperature"].offset = {Distribution::Kind::uniform, -2.0, 2.0};
  return made;
}

// Everything one instance shows over three episodes, actions drawn from its own stream.
std::vector<double> trajectory(std::size_t instances, std::size_t instance, std::uint64_t seed) {
  SimulationOptions options = short_season(instances);
  options.randomisation = everything();
  options.forecast.kind = ForecastModel::Kind::persistence;
  const auto environment = *make_control_environment(std::move(options));
  const std::size_t width = environment->spec().observation.size();
  std::vector<float> observations(instances * width), finals(instances * width), rewards(instances),
      actions(instances * 3);
  std::vector<std::uint8_t> terminated(instances), truncated(instances);
  std::vector<Random> random;
  for (std::size_t i = 0; i < instances; ++i) random.emplace_back(99, i);
  environment->reset(seed, observations);
  std::vector<double> seen;
  for (int t = 0; t < 120; ++t) {
    for (std::size_t a = 0; a < actions.size(); ++a) actions[a] = static_cast<float>(random[a / 3].uniform(-1.0, 1.0));
    environment->step(actions, {observations, finals, rewards, {}, terminated, truncated});
    for (std::size_t f = 0; f < width; ++f) seen.push_back(finals[instance * width + f]);
    for (std::size_t f = 0; f < width; ++f) seen.push_back(observations[instance * width + f]);
    seen.push_back(rewards[instance]);
  }
  return seen;
}

TEST(control_environment, same_seed_same_trajectory_whatever_the_batch_size) {
  EXPECT_EQ(trajectory(1, 0, 5), trajectory(19, 0, 5));
  EXPECT_EQ(trajectory(7, 6, 5), trajectory(19, 6, 5));
  EXPECT_NE(trajectory(7, 6, 5), trajectory(7, 5, 5));
  EXPECT_NE(trajectory(1, 0, 5), trajectory(1, 0, 6));
}

struct Outcomes {
  std::vector<int> terminated, truncated;
  bool restarted = false;
};

Outcomes run_environment(SimulationOptions options, int steps) {
  const auto environment = *make_control_environment(std::move(options));
  const std::size_t width = environment->spec().observation.size();
  std::vector<float> first(width), observation(width), final_observation(width), reward(1),
      terms(environment->spec().reward_terms.size()), actions(environment->spec().action.size(), 0.3F);
  std::vector<std::uint8_t> terminated(1), truncated(1);
  environment->reset(1, first);
  Outcomes outcomes;
  for (int t = 1; t <= steps; ++t) {
    environment->step(actions, {observation, final_observation, reward, terms, terminated, truncated});
    EXPECT_NEAR(std::accumulate(terms.begin(), terms.end(), 0.0F), reward[0], 1e-4 * std::fabs(reward[0]) + 1e-6);
    if (terminated[0] != 0) outcomes.terminated.push_back(t);
    if (truncated[0] != 0) outcomes.truncated.push_back(t);
    if (terminated[0] + truncated[0] > 0)
      outcomes.restarted = observation == first && final_observation != observation;
    else
      EXPECT_EQ(observation, final_observation);
  }
  return outcomes;
}

TEST(control_environment, a_season_ends_in_a_harvest_and_a_running_process_is_cut) {
  SimulationOptions season = short_season(1, 10);
  season.starts.resize(1);
  const Outcomes harvest = run_environment(std::move(season), 25);
  EXPECT_EQ(harvest.terminated, (std::vector{10, 20}));
  EXPECT_TRUE(harvest.truncated.empty());
  EXPECT_TRUE(harvest.restarted);

  const Outcomes process = run_environment({.task = *make_task("cstr")}, 120);
  EXPECT_TRUE(process.terminated.empty());
  EXPECT_EQ(process.truncated, (std::vector{59, 118}));
  EXPECT_TRUE(process.restarted);
}

TEST(control_environment, a_plant_that_leaves_the_numbers_terminates) {
  SimulationOptions broken{.task = *make_task("cstr"), .parameters = {{"V", 0.0}}};
  const Outcomes outcomes = run_environment(std::move(broken), 2);
  EXPECT_EQ(outcomes.terminated, (std::vector{1, 2}));
}

// Mid-range inputs, written as actions: the published return.
TEST(control_environment, returns_what_is_published_for_mid_range_actions) {
  for (const auto& [plant, expected] :
       std::map<std::string, double>{{"cstr", -512.525932}, {"four-tank", -13.693861}}) {
    const auto simulation = *Simulation::make({.task = *make_task(plant)});
    double total = 0.0;
    while (!simulation->finished(0)) {
      std::vector<double> inputs(simulation->plant().inputs.size());
      actuate(simulation->task().action, std::vector<float>(inputs.size(), 0.0F), inputs, inputs);
      simulation->step(inputs);
      total += simulation->reward(0);
    }
    EXPECT_NEAR(total / expected, 1.0, 1e-7) << plant;
  }
}

TEST(simulation, draws_do_not_depend_on_the_inputs) {
  const auto run = [](double wanted) {
    SimulationOptions options = short_season(1);
    options.randomisation = everything();
    const auto simulation = *Simulation::make(std::move(options));
    simulation->reset(3);
    std::vector<double> parameters;
    for (int t = 0; t < 100; ++t) {
      simulation->step(std::vector<double>{wanted, wanted, wanted});
      parameters.insert(parameters.end(), simulation->model().parameters().begin(),
                        simulation->model().parameters().end());
      parameters.push_back(simulation->snapshot(0).exogenous[2]);
      if (simulation->finished(0)) simulation->restart_finished();
    }
    return parameters;
  };
  EXPECT_EQ(run(0.0), run(1.0));
}

TEST(simulation, one_kind_of_noise_moves_no_other_draw) {
  const auto starts = [](bool noisy) {
    SimulationOptions options = short_season(4);
    if (noisy) options.randomisation.sensor_noise["co2"] = {20.0, 0.0}, options.randomisation.parameter_noise = 0.1;
    const auto simulation = *Simulation::make(std::move(options));
    simulation->reset(3);
    std::vector<std::size_t> rows;
    for (int t = 0; t < 100; ++t) {
      simulation->step(std::vector<double>(12, 0.0));
      for (std::size_t i = 0; i < 4; ++i) rows.push_back(simulation->start(i).row);
      simulation->restart_finished();
    }
    return rows;
  };
  EXPECT_EQ(starts(false), starts(true));
}

TEST(simulation, takes_starts_in_turn) {
  SimulationOptions options = short_season(2, 5);
  options.starts.resize(3);
  options.starts_in_turn = true;
  const auto simulation = *Simulation::make(std::move(options));
  const auto rows = [&] { return std::vector{simulation->start(0).row, simulation->start(1).row}; };
  EXPECT_EQ(rows(), (std::vector<std::size_t>{0, 1}));
  for (int t = 0; t < 5; ++t) simulation->step(std::vector<double>(6, 0.0));
  simulation->restart_finished();
  EXPECT_EQ(rows(), (std::vector<std::size_t>{2, 0}));
}

TEST(simulation, limits_bounds_and_rates_and_ignores_nan) {
  const auto simulation = *Simulation::make(short_season(1));
  simulation->step(std::vector<double>{1.2, -5.0, std::nan("")});
  const std::span<const double> inputs = simulation->snapshot(0).inputs;
  EXPECT_EQ(std::vector<double>(inputs.begin(), inputs.end()), (std::vector<double>{0.12, 0.0, 50.0}));
}

TEST(simulation, a_delay_holds_commands_back) {
  SimulationOptions options = short_season(1);
  options.randomisation.action_delay_steps = {2, 2};
  const auto simulation = *Simulation::make(std::move(options));
  std::vector<double> commanded, applied;
  for (const double heating : {60.0, 70.0, 80.0, 90.0}) {
    simulation->step(std::vector<double>{0.0, 0.0, heating});
    commanded.push_back(simulation->snapshot(0).inputs[2]);
    applied.push_back(simulation->applied(0)[2]);
  }
  EXPECT_EQ(commanded, (std::vector<double>{60, 70, 80, 90}));
  EXPECT_EQ(applied, (std::vector<double>{50, 50, 60, 70}));
}

TEST(simulation, a_silent_sensor_keeps_its_last_value) {
  SimulationOptions options = short_season(1);
  options.randomisation.sensor_dropouts["co2"] = {1.0, {100, 100}};
  const auto simulation = *Simulation::make(std::move(options));
  const double first = simulation->snapshot(0).measurements[1];
  for (int t = 0; t < 10; ++t) simulation->step(std::vector<double>{1.2, 0.0, 0.0});
  EXPECT_EQ(simulation->snapshot(0).measurements[1], first);
  EXPECT_NE(simulation->truth(0)[1], first);
  EXPECT_EQ(simulation->snapshot(0).measurements[0], simulation->truth(0)[0]);
}

TEST(simulation, sensor_noise_has_the_given_deviation) {
  SimulationOptions options{.task = *make_task("cstr"), .instances = 2000};
  options.randomisation = published_noise((*make_plant("cstr", 1))->spec(), options.task);
  const auto simulation = *Simulation::make(std::move(options));
  double square = 0.0;
  for (std::size_t i = 0; i < 2000; ++i) {
    const double error = simulation->snapshot(i).measurements[0] / simulation->truth(i)[0] - 1.0;
    square += error * error / 2000;
  }
  EXPECT_NEAR(std::sqrt(square), 0.001, 0.0001);
}

TEST(simulation, a_shift_reaches_weather_and_forecast_alike) {
  SimulationOptions options = short_season(1);
  options.starts.resize(1);
  options.randomisation.exogenous["outdoor_temperature"].offset = {Distribution::Kind::uniform, 5.0, 5.0};
  const auto shifted = *Simulation::make(options);
  options.randomisation = {};
  const auto plain = *Simulation::make(options);
  EXPECT_EQ(shifted->snapshot(0).exogenous[2], plain->snapshot(0).exogenous[2] + 5.0);
  EXPECT_EQ(shifted->snapshot(0).forecast[4 + 2], plain->snapshot(0).forecast[4 + 2] + 5.0);
}

TEST(simulation, either_draws_one_of_two_values_and_nothing_between) {
  SimulationOptions options = short_season(64);
  options.randomisation.parameters["c_leak"] = {Distribution::Kind::either, 0.9, 1.1};
  const auto simulation = *Simulation::make(options);
  const auto& parameters = simulation->plant().parameters;
  const auto leak =
      static_cast<std::size_t>(std::ranges::find(parameters, "c_leak", &Parameter::name) - parameters.begin());
  std::size_t low = 0, high = 0;
  for (std::size_t i = 0; i < 64; ++i) {
    const double factor = simulation->model().parameters()[leak * 64 + i] / parameters[leak].value;
    low += std::fabs(factor - 0.9) < 1e-12;
    high += std::fabs(factor - 1.1) < 1e-12;
  }
  EXPECT_EQ(low + high, 64U);
  EXPECT_GT(std::min(low, high), 16U);
}

TEST(simulation, a_drift_goes_in_ramps_and_turns_at_the_bounds) {
  SimulationOptions options{.task = *make_task("industrial-benchmark"), .instances = 4};
  options.randomisation.exogenous["setpoint"].drift = Drift{{1, 99}, {Distribution::Kind::uniform, -1.0, 1.0}, 0.1};
  const auto simulation = *Simulation::make(options);
  const auto setpoint = [&](std::size_t i) { return simulation->snapshot(i).exogenous[0]; };
  std::vector<double> last(4), slope(4);
  std::size_t turns = 0, flat = 0;
  double lowest = 100.0, highest = 0.0;
  for (std::size_t i = 0; i < 4; ++i) last[i] = setpoint(i);
  EXPECT_EQ(last[0], 50.0);
  for (int t = 0; t < 1000; ++t) {
    simulation->step(std::vector<double>(12, 0.0));
    for (std::size_t i = 0; i < 4; ++i) {
      const double move = setpoint(i) - last[i];
      EXPECT_LE(std::fabs(move), 1.0);
      turns += std::fabs(move - slope[i]) > 1e-9;
      flat += move == 0.0;
      lowest = std::min(lowest, setpoint(i));
      highest = std::max(highest, setpoint(i));
      last[i] = setpoint(i);
      slope[i] = move;
    }
  }
  EXPECT_NEAR(static_cast<double>(turns), 80.0, 40.0);  // ramps of 50 steps in the mean
  EXPECT_GT(flat, 100U);
  EXPECT_LT(flat, 1200U);
  EXPECT_GE(lowest, 0.0);
  EXPECT_LE(highest, 100.0);
  EXPECT_GT(highest - lowest, 20.0);
  EXPECT_NE(setpoint(0), setpoint(1));
}

TEST(simulation, finished_instances_stay_as_they_are) {
  const auto simulation = *Simulation::make(short_season(3, 4));
  for (int t = 0; t < 4; ++t) simulation->step(std::vector<double>(9, 1.0));
  const std::vector<double> states(simulation->model().states().begin(), simulation->model().states().end());
  simulation->step(std::vector<double>(9, 0.0));
  EXPECT_EQ(std::vector<double>(simulation->model().states().begin(), simulation->model().states().end()), states);
  EXPECT_EQ(simulation->reward(0), 0.0);
  EXPECT_EQ(simulation->steps_made(2), 4U);
}

TEST(simulation, start_dates_keep_only_seasons_inside_them) {
  SimulationOptions options = short_season(200);
  options.randomisation.start_dates = StartWindow{{12, 20}, {1, 10}};
  const auto simulation = *Simulation::make(std::move(options));
  for (std::size_t i = 0; i < 200; ++i) {
    const Start& start = simulation->start(i);
    const auto time = *start.series->start + from_seconds(static_cast<double>(start.row) * start.series->row_period_s);
    const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
    EXPECT_TRUE(date.month() == std::chrono::December || date.month() == std::chrono::January);
  }
}

TEST(simulation, says_what_is_missing_or_does_not_fit) {
  EXPECT_THAT(Simulation::make({.task = *make_task("lettuce")}).error().message, HasSubstr("needs weather"));
  SimulationOptions late = short_season(1);
  late.starts = {{synthetic(), synthetic()->rows() - 3}};
  EXPECT_THAT(Simulation::make(std::move(late)).error().message, HasSubstr("does not fit"));
  SimulationOptions wrong = short_season(1);
  wrong.starts = {{make_task("cstr")->schedule, 0}};
  EXPECT_EQ(Simulation::make(std::move(wrong)).error().code, Errc::mismatch);
  const auto outside = start_at(synthetic(), *make_task("lettuce"), *parse_rfc3339("2001-12-20"));
  EXPECT_EQ(outside.error().code, Errc::invalid_argument);
  EXPECT_THAT(outside.error().message, HasSubstr("from 2001-01-01T00:00:00Z to 2001-11-21T23:30:00Z"));
}

TEST(forecaster, persistence_runs_from_truth_to_yesterday) {
  ExogenousSeries series{.name = "ramp", .variables = 1, .stride = 2, .row_period_s = 900.0};
  for (int row = 0; row < 1000; ++row) series.values.push_back(row);
  const Forecaster perfect({}, 1800.0, 3);
  const Forecaster persistence({ForecastModel::Kind::persistence, 12.0}, 1800.0, 96);
  std::vector<double> known(3), guessed(96);
  perfect.forecast(series, 500, known);
  EXPECT_EQ(known, (std::vector<double>{502, 504, 506}));
  persistence.forecast(series, 500, guessed);
  EXPECT_NEAR(guessed[0], 502 - (1 - std::exp(-0.5 / 12)) * 96, 1e-9);  // half an hour: nearly the truth
  EXPECT_NEAR(guessed[47], 596 - (1 - std::exp(-2.0)) * 96, 1e-9);      // a day: nearly now
  EXPECT_NEAR(guessed[48], 598 - (1 - std::exp(-24.5 / 12)) * 192,
              1e-9);  // beyond: the day before yesterday's hour of it
  persistence.forecast(series, 0, guessed);
  EXPECT_THAT(std::span(guessed).first(40), Each(testing::Ge(0.0)));
}

}  // namespace
}  // namespace rltune::env
