#include "rltune/evaluation/guarded.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rltune/controllers/registry.hpp"
#include "rltune/controllers/schedule.hpp"

namespace rltune::evaluation {
namespace {

using testing::HasSubstr;

const env::PlantSpec& reactor() {
  static const env::PlantSpec plant = env::make_plant("dompc-cstr", 1).value()->spec();
  return plant;
}

// The reactor's site: ranges, and an interlock that cools with a small feed before the limit of 140 degC is reached.
config::Site reactor_site(const std::string& require = "TI_1 < 138") {
  config::Site site;
  site.name = "reactor";
  site.tags = {{.name = "TI_1", .operating = config::Range{0, 300}},
               {.name = "feed_flow", .role = config::TagRole::setpoint},
               {.name = "cooling", .role = config::TagRole::setpoint}};
  site.agents = {{.id = "agent", .plant = "dompc-cstr", .bindings = {{"reactor_temperature", "TI_1"}}}};
  site.guard.outputs = {{.tag = "feed_flow", .limits = {5, 100}, .safe_value = 5},
                        {.tag = "cooling", .limits = {-8500, 0}, .safe_value = -8500}};
  site.guard.interlocks = {{.name = "hot", .require = require}};
  return site;
}

std::vector<Episode> run(const ControllerFactory& factory, std::size_t episodes = 3) {
  EvaluationOptions options{.task = env::make_task("dompc-cstr").value()};
  options.trace = true;
  const auto seasons = spread_seasons({}, options.task, episodes, 1).value();
  return evaluate(factory, seasons, options).value();
}

// Plays the same inputs whatever happens.
ControllerFactory constant(double feed, double cooling) {
  return [=]() -> Result<std::unique_ptr<controllers::Controller>> {
    return controllers::make_tape(reactor(), {feed, cooling});
  };
}

TEST(Guarded, a_controller_within_its_ranges_is_let_alone) {
  const GuardedPlant guarded = GuardedPlant::of_ranges(reactor()).value();
  const auto hold = [] { return controllers::make_controller("hold", reactor()); };
  const auto free = run(hold), watched = run(guarded.guard(hold));
  for (std::size_t i = 0; i < free.size(); ++i) EXPECT_EQ(free[i].total, watched[i].total);
  const GuardTally tally = guarded.tally();
  EXPECT_EQ(tally.decisions, 300U);
  EXPECT_EQ(tally.intervened, 0U);
  EXPECT_EQ(tally.outputs.at(1).accepted, 300U);
}

TEST(Guarded, an_interlock_keeps_a_careless_controller_below_the_limit) {
  const ControllerFactory careless = constant(20.0, 0.0);
  ASSERT_GT(run(careless, 1).front().violations.front().steps, 0U);
  const GuardedPlant guarded = GuardedPlant::of_site(reactor_site(), reactor()).value();
  const Episode safe = run(guarded.guard(careless), 1).front();
  EXPECT_EQ(safe.violations.front().steps, 0U);
  EXPECT_EQ(safe.inputs.at(1).minimum, -8500.0);
  const GuardTally tally = guarded.tally();
  EXPECT_GT(tally.intervened, 0U);
  EXPECT_LT(tally.intervened, 100U);
  EXPECT_EQ(tally.outputs.at(0).reasons.at("interlock"), tally.intervened);
}

TEST(Guarded, limits_and_rates_hold_from_the_first_decision_on) {
  config::Site site = reactor_site();
  site.guard.interlocks.clear();
  site.guard.outputs[0].limits.high = 30.0;
  site.guard.outputs[0].rate_per_s = 0.1;
  const GuardedPlant guarded = GuardedPlant::of_site(site, reactor()).value();
  const Episode episode = run(guarded.guard(constant(60.0, -8000.0)), 1).front();
  EXPECT_NEAR(episode.trace.inputs.at(0), 18.83 + 1.8, 1e-6);
  EXPECT_NEAR(episode.trace.inputs.at(2), 18.83 + 3.6, 1e-6);
  EXPECT_EQ(episode.inputs.front().maximum, 30.0);
  const GuardTally tally = guarded.tally();
  EXPECT_EQ(tally.intervened, 100U);
  EXPECT_EQ(tally.outputs.at(0).clamped, 100U);
  EXPECT_EQ(tally.outputs.at(0).reasons.at("limit_high"), 100U);
  EXPECT_EQ(tally.outputs.at(0).reasons.at("rate"), 6U);
  EXPECT_EQ(tally.outputs.at(1).accepted, 100U);
}

TEST(Guarded, a_mode_of_the_dcs_says_that_the_output_is_ours) {
  config::Site site = reactor_site();
  site.tags.push_back({.name = "cooling_mode", .role = config::TagRole::mode});
  site.guard.outputs[1].mode_tag = "cooling_mode";
  site.guard.outputs[1].mode_remote = {2.0};
  const GuardedPlant guarded = GuardedPlant::of_site(site, reactor()).value();
  EXPECT_EQ(run(guarded.guard(constant(18.0, -4000.0)), 1).front().inputs.at(1).maximum, -4000.0);
}

TEST(Guarded, says_what_does_not_fit_the_plant) {
  const auto why = [](const config::Site& site) {
    const auto made = GuardedPlant::of_site(site, reactor());
    return made ? std::string() : made.error().message;
  };
  config::Site without = reactor_site();
  without.tags.pop_back();
  without.guard.outputs.pop_back();
  EXPECT_THAT(why(without), HasSubstr("no rules for 'cooling'"));
  config::Site unknown = reactor_site("pressure < 5");
  unknown.tags.push_back({.name = "pressure"});
  EXPECT_THAT(why(unknown), HasSubstr("the plant does not show 'pressure'"));
  EXPECT_THAT(why(reactor_site("TI_9 < 5")), HasSubstr("guard.interlocks[0].require"));
}

}  // namespace
}  // namespace rltune::evaluation
