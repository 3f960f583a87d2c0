#include "twin_core.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "manual_clock.hpp"
#include "recording_sink.hpp"
#include "season.hpp"

namespace rltune::twin {
namespace {

using std::chrono::seconds;
using testing::lettuce_season;
using testing::make_simulation;
using testing::RecordingSink;

class TwinCoreTest : public ::testing::Test {
 protected:
  CoreOptions options(ClockMode mode = ClockMode::plant) {
    return {.clock = mode,
            .speed = 1800.0,
            .start = TimePoint(seconds(1000)),
            .shed_after = seconds(5),
            .test_faults = true};
  }
  std::size_t tag(std::string_view name) { return core_.find(name).value(); }
  double real(std::string_view name) { return std::get<double>(core_.value(tag(name)).content); }
  std::uint32_t count(std::string_view name) { return std::get<std::uint32_t>(core_.value(tag(name)).content); }
  bool flag(std::string_view name) { return std::get<bool>(core_.value(tag(name)).content); }
  WriteStatus write(std::string_view name, TagContent content, Role role = Role::host) {
    return core_.write(tag(name), content, role);
  }
  void beat() { ASSERT_EQ(write("guard_alive", ++beats_), WriteStatus::good); }
  void step() {
    ASSERT_EQ(write("clock_advance", core_.steps_done() + 1), WriteStatus::good);
    ASSERT_TRUE(core_.step_due());
    core_.step();
  }
  void silence(Duration duration) {
    clock_.advance(duration);
    core_.watch(sink_);
  }

  ManualClock clock_;
  RecordingSink sink_;
  TwinCore core_{make_simulation(lettuce_season()), options(), clock_};
  std::uint32_t beats_ = 0;
};

TEST_F(TwinCoreTest, publishes_the_step_counter_after_everything_else) {
  core_.publish(sink_);
  EXPECT_EQ(sink_.published.back(), tag("clock_step"));
  EXPECT_EQ(std::ranges::count(sink_.published, tag("clock_step")), 1);
  for (const TagSpec& spec : core_.tags()) {
    if (spec.folder == "Control" || spec.name == "season_start" || spec.name == "season_steps") continue;
    EXPECT_EQ(std::ranges::count(sink_.published, tag(spec.name)), 1) << spec.name;
  }
}

TEST_F(TwinCoreTest, takes_set_points_within_their_range_only) {
  EXPECT_EQ(write("heating", 60.0), WriteStatus::good);
  EXPECT_EQ(real("heating"), 60.0);
  EXPECT_EQ(write("heating", 150.1), WriteStatus::out_of_range);
  EXPECT_EQ(write("heating", -0.1), WriteStatus::out_of_range);
  EXPECT_EQ(write("heating", std::nan("")), WriteStatus::out_of_range);
  EXPECT_EQ(write("heating", INFINITY), WriteStatus::out_of_range);
  EXPECT_EQ(write("heating", std::uint32_t{60}), WriteStatus::wrong_type);
  EXPECT_EQ(real("heating"), 60.0);
}

TEST_F(TwinCoreTest, sensors_are_read_only) { EXPECT_EQ(write("air_temperature", 20.0), WriteStatus::not_writable); }

TEST_F(TwinCoreTest, a_step_applies_what_was_written_and_shows_the_next_row) {
  ASSERT_EQ(write("heating", 62.5), WriteStatus::good);
  step();
  auto model = make_simulation(lettuce_season());
  model->step(std::vector{0.0, 0.0, 62.5});
  EXPECT_EQ(real("air_temperature"), model->snapshot(0).measurements[2]);
  EXPECT_EQ(real("outdoor_temperature"), model->snapshot(0).exogenous[2]);
  EXPECT_EQ(real("heating_applied"), 62.5);
  EXPECT_EQ(count("clock_step"), 1U);
  EXPECT_EQ(core_.value(tag("air_temperature")).source_time, TimePoint(seconds(1000 + 1800)));
  EXPECT_EQ(real("season_return"), model->reward(0));
}

TEST_F(TwinCoreTest, forecast_tags_hold_the_rows_ahead) {
  const auto& ahead = std::get<std::vector<double>>(core_.value(tag("outdoor_temperature_forecast")).content);
  ASSERT_EQ(ahead.size(), 12U);
  const auto series = testing::weather(400);
  for (std::size_t lead = 1; lead <= 12; ++lead) EXPECT_EQ(ahead[lead - 1], series->row(lead)[2]);
  EXPECT_EQ(std::get<TimePoint>(core_.value(tag("forecast_issued")).content), TimePoint(seconds(1000)));
}

TEST_F(TwinCoreTest, refuses_to_skip_a_step) {
  EXPECT_EQ(write("clock_advance", std::uint32_t{2}), WriteStatus::out_of_range);
  EXPECT_FALSE(core_.step_due());
}

TEST_F(TwinCoreTest, the_season_ends) {
  TwinCore core(make_simulation(lettuce_season(2)), options(), clock_);
  for (std::uint32_t i = 1; i <= 2; ++i) {
    ASSERT_EQ(core.write(*core.find("clock_advance"), i, Role::host), WriteStatus::good);
    core.step();
  }
  EXPECT_TRUE(core.done());
  EXPECT_TRUE(std::get<bool>(core.value(*core.find("season_done")).content));
  EXPECT_EQ(core.write(*core.find("clock_advance"), std::uint32_t{3}, Role::host), WriteStatus::wrong_state);
  EXPECT_FALSE(core.step_due());
}

TEST_F(TwinCoreTest, sheds_when_the_heartbeat_stops_and_says_so) {
  beat();
  silence(seconds(4));
  EXPECT_FALSE(flag("shed"));
  silence(seconds(1));
  EXPECT_TRUE(flag("shed"));
  EXPECT_EQ(std::get<std::int32_t>(core_.value(tag("local_control")).content), 3);
  EXPECT_EQ(std::ranges::count(sink_.published, tag("shed")), 1);
  EXPECT_EQ(write("heating", 60.0), WriteStatus::wrong_state);
}

TEST_F(TwinCoreTest, a_heartbeat_that_repeats_itself_does_not_count) {
  beat();
  clock_.advance(seconds(4));
  ASSERT_EQ(write("guard_alive", beats_), WriteStatus::good);
  silence(seconds(1));
  EXPECT_TRUE(core_.shed());
}

TEST_F(TwinCoreTest, hands_back_without_a_bump) {
  ASSERT_EQ(write("heating", 65.0), WriteStatus::good);
  step();
  ASSERT_EQ(write("heating", 80.0), WriteStatus::good);  // never applied
  silence(seconds(5));
  ASSERT_TRUE(core_.shed());
  EXPECT_EQ(real("heating"), 65.0);
  step();  // local control: too warm to heat
  EXPECT_EQ(real("heating"), 50.0);
  EXPECT_EQ(real("heating_applied"), 50.0);
  beat();
  silence(Duration::zero());
  EXPECT_FALSE(core_.shed());
  EXPECT_EQ(real("heating"), 50.0);
  EXPECT_EQ(write("heating", 55.0), WriteStatus::good);
  step();
  EXPECT_EQ(real("heating_applied"), 55.0);
}

TEST_F(TwinCoreTest, shedding_before_the_first_step_changes_no_input) {
  silence(seconds(60));
  ASSERT_TRUE(core_.shed());
  beat();
  silence(Duration::zero());
  EXPECT_EQ(real("heating"), 50.0);
  EXPECT_EQ(real("ventilation"), 0.0);
}

TEST_F(TwinCoreTest, only_operators_set_modes) {
  EXPECT_EQ(write("heating_mode", std::uint32_t{0}), WriteStatus::denied);
  EXPECT_EQ(write("heating_mode", std::uint32_t{2}, Role::operators), WriteStatus::out_of_range);
  EXPECT_EQ(write("heating_mode", std::uint32_t{0}, Role::operators), WriteStatus::good);
  silence(Duration::zero());
  EXPECT_EQ(std::get<std::int32_t>(core_.value(tag("local_control")).content), 1);
}

TEST_F(TwinCoreTest, a_local_output_is_the_operators) {
  ASSERT_EQ(write("heating_mode", std::uint32_t{0}, Role::operators), WriteStatus::good);
  EXPECT_EQ(write("heating", 60.0), WriteStatus::wrong_state);
  EXPECT_EQ(write("ventilation", 0.5), WriteStatus::good);
  EXPECT_EQ(write("ventilation", 0.5, Role::operators), WriteStatus::wrong_state);
  ASSERT_EQ(write("heating", 63.0, Role::operators), WriteStatus::good);
  step();
  EXPECT_EQ(real("heating_applied"), 63.0);
  ASSERT_EQ(write("heating_mode", std::uint32_t{1}, Role::operators), WriteStatus::good);
  EXPECT_EQ(real("heating"), 63.0);
  EXPECT_EQ(write("heating", 60.0), WriteStatus::good);
}

TEST_F(TwinCoreTest, an_unknown_mode_tag_lists_those_there_are) {
  const auto set = core_.set_mode("lamp_mode", 0);
  ASSERT_FALSE(set);
  EXPECT_NE(set.error().message.find("co2_supply_mode, ventilation_mode, heating_mode"), std::string::npos);
}

TEST_F(TwinCoreTest, faults_change_what_is_shown_and_not_the_plant) {
  ASSERT_EQ(write("test_fault", std::string("air_temperature value 55")), WriteStatus::good);
  step();
  EXPECT_EQ(real("air_temperature"), 55.0);
  EXPECT_NE(core_.simulation().truth(0)[2], 55.0);
  ASSERT_EQ(write("test_fault", std::string("air_temperature dropout")), WriteStatus::good);
  sink_.published.clear();
  core_.publish(sink_);
  EXPECT_EQ(std::ranges::count(sink_.published, tag("air_temperature")), 0);
  EXPECT_EQ(write("test_fault", std::string("heating stuck")), WriteStatus::out_of_range);
  EXPECT_EQ(write("test_fault", std::string("nonsense")), WriteStatus::out_of_range);
}

TEST_F(TwinCoreTest, no_fault_tag_without_asking) {
  CoreOptions closed = options();
  closed.test_faults = false;
  const TwinCore core(make_simulation(lettuce_season()), closed, clock_);
  EXPECT_FALSE(core.find("test_fault"));
}

TEST_F(TwinCoreTest, replayed_inputs_give_the_same_plant_with_all_its_noise) {
  env::SimulationOptions noisy = lettuce_season();
  noisy.randomisation.parameter_noise = 0.2;
  noisy.randomisation.sensor_noise["co2"].relative = 0.05;
  TwinCore first(make_simulation(noisy, 7), options(), clock_);
  TwinCore second(make_simulation(noisy, 7), options(), clock_);
  for (std::uint32_t i = 1; i <= 20; ++i) {
    first.write(*first.find("heating"), 50.0 + i, Role::host);
    first.write(*first.find("clock_advance"), i, Role::host);
    first.step();
    second.replay(first.inputs_given());
  }
  second.resume(first.modes());
  for (std::size_t i = 0; i < first.tags().size(); ++i) {
    if (first.tags()[i].folder == "Control") continue;
    EXPECT_EQ(first.value(i).content, second.value(i).content) << first.tags()[i].name;
  }
  EXPECT_EQ(second.steps_done(), 20U);
}

TEST_F(TwinCoreTest, on_the_wall_clock_steps_follow_by_themselves) {
  TwinCore core(make_simulation(lettuce_season()), options(ClockMode::wall), clock_);
  EXPECT_FALSE(core.find("clock_advance"));
  EXPECT_FALSE(core.step_due());
  EXPECT_EQ(core.until_due(), seconds(1));
  clock_.advance(seconds(1));
  EXPECT_TRUE(core.step_due());
}

TEST(LocalControl, keeps_a_cold_season_from_frost_and_mould) {
  auto plant = make_simulation(lettuce_season(1000));
  const LocalControl control(plant->plant());
  std::vector<double> inputs(3);
  double coldest = 1e9, hottest = -1e9;
  for (std::size_t step = 0; step < 1000; ++step) {
    control.act(plant->truth(0), plant->snapshot(0).inputs, inputs);
    plant->step(inputs);
    if (step < 48) continue;  // from the start state to its own regime
    coldest = std::min(coldest, plant->truth(0)[2]);
    hottest = std::max(hottest, plant->truth(0)[2]);
  }
  EXPECT_GT(coldest, 6.0);
  EXPECT_LT(hottest, 32.0);
  EXPECT_EQ(inputs[0], 0.0);
}

TEST(LocalControl, moves_no_faster_than_the_actuators) {
  const auto plant = make_simulation(lettuce_season());
  const LocalControl control(plant->plant());
  std::vector<double> inputs(3);
  control.act(std::vector{0.01, 500.0, -10.0, 99.0}, std::vector{1.0, 0.0, 20.0}, inputs);
  EXPECT_DOUBLE_EQ(inputs[0], 0.88);
  EXPECT_DOUBLE_EQ(inputs[1], 0.75);
  EXPECT_DOUBLE_EQ(inputs[2], 35.0);
}

TEST(LocalControl, holds_a_plant_that_it_has_no_loops_for) {
  auto model = env::make_plant("four-tank", 1);
  ASSERT_TRUE(model);
  env::PlantSpec spec = (*model)->spec();
  spec.name = "somebody's tanks";
  const LocalControl control(spec);
  const std::vector<double> previous{4.0, 6.0};
  std::vector<double> inputs(2);
  control.act(std::vector<double>(spec.measurements.size(), 0.55), previous, inputs);
  EXPECT_EQ(inputs, previous);
}

// What happens to a plant that its host left with the outputs at `inputs`.
std::vector<double> left_alone(const char* plant, std::vector<double> inputs, std::size_t steps) {
  env::SimulationOptions options{.task = *env::make_task(plant)};
  options.task.steps = 59;
  const auto simulation = make_simulation(options);
  const LocalControl control(simulation->plant());
  for (std::size_t step = 0; step < steps; ++step) {
    if (step > 5) control.act(simulation->truth(0), simulation->snapshot(0).inputs, inputs);
    simulation->step(inputs);
  }
  return {simulation->truth(0).begin(), simulation->truth(0).end()};
}

TEST(LocalControl, keeps_a_reactor_from_going_out_and_from_running_away) {
  for (const double coolant : {295.0, 302.0}) {
    const double temperature = left_alone("cstr", {coolant}, 59)[1];
    EXPECT_GT(temperature, 318.0) << coolant;
    EXPECT_LT(temperature, 330.0) << coolant;
  }
}

TEST(LocalControl, spills_no_tank) {
  for (const double level : left_alone("four-tank", {10.0, 10.0}, 59)) EXPECT_LT(level, 0.6);
}

}  // namespace
}  // namespace rltune::twin
