#include "rltune/guard/guard.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "counting_new.hpp"
#include "guarded_site.hpp"
#include "rltune/base/random.hpp"

namespace rltune::guard {
namespace {

using namespace std::chrono_literals;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::uint32_t bits(std::initializer_list<Reason> reasons) {
  std::uint32_t all = 0;
  for (const Reason reason : reasons) all |= static_cast<std::uint32_t>(reason);
  return all;
}

// The guarded site of testing/ with a guard in automatic mode; time and samples are the test's.
class GuardTest : public ::testing::Test {
 protected:
  void SetUp() override { restart(); }

  void restart() {
    auto made = Guard::create(site_);
    ASSERT_TRUE(made) << made.error().message;
    guard_.emplace(std::move(*made));
  }

  OutputVerdict decide(double heating) {
    return decide(std::array<OutputProposal, 2>{{{heating, true}, {0.0, true}}})[0];
  }

  std::array<OutputVerdict, 2> decide(std::array<OutputProposal, 2> proposals) {
    std::array<OutputVerdict, 2> verdicts;
    guard_->decide(input(proposals), verdicts);
    for (std::size_t i = 0; i < 2; ++i)
      if (verdicts[i].action != Action::withheld) apply(i, verdicts[i].value);
    return verdicts;
  }

  GuardInput input(std::span<const OutputProposal> proposals) const {
    return {.now = now_,
            .tags = plant_.samples,
            .proposals = proposals,
            .fallback = fallback_,
            .agent = agent_,
            .agent_alive = alive_,
            .link_up = link_up_};
  }

  void apply(std::size_t output, double value) {
    plant_.set(guard_->output_tag(output), value, now_);
    guard_->applied(output, value, now_);
  }

  void wait(Duration step) {
    now_ += step;
    plant_.refresh(now_);
  }

  config::Site site_ = guarded_site();
  TimePoint now_ = GuardedPlant::kStart;
  GuardedPlant plant_{site_};
  std::optional<Guard> guard_;
  std::vector<OutputProposal> fallback_{{}, {}};
  std::uint32_t agent_ = 0;
  bool alive_ = true, link_up_ = true;
};

TEST_F(GuardTest, a_value_within_every_rule_is_accepted) {
  decide(50.0);
  wait(10s);
  const OutputVerdict verdict = decide(55.0);
  EXPECT_EQ(verdict.action, Action::accepted);
  EXPECT_EQ(verdict.reasons, 0U);
  EXPECT_EQ(verdict.value, 55.0);
}

TEST_F(GuardTest, limits_clamp) {
  plant_.set(kHeating, 145.0, now_);
  decide(145.0);
  wait(10s);
  const OutputVerdict verdict = decide(1e300);
  EXPECT_EQ(verdict.action, Action::clamped);
  EXPECT_EQ(verdict.value, 150.0);
  EXPECT_EQ(describe(verdict.reasons), "limit_high");
}

TEST_F(GuardTest, the_rate_is_a_second_and_the_step_a_decision) {
  decide(50.0);
  wait(2s);
  EXPECT_EQ(decide(100.0).value, 54.0) << "2 W/m2 a second";
  wait(10s);
  EXPECT_EQ(decide(100.0).value, 69.0) << "20 by the rate, 15 by the step";
  EXPECT_EQ(decide(0.0).value, 69.0) << "no time, no change";
}

TEST_F(GuardTest, a_long_pause_earns_no_larger_change) {
  site_.guard.outputs[0].step_max = 0.0;
  restart();
  decide(50.0);
  wait(24h);
  EXPECT_EQ(decide(150.0).value, 70.0) << "one period of 10 s at 2 a second";
}

TEST_F(GuardTest, a_rounding_beyond_the_rate_is_no_breach) {
  decide(50.0);
  wait(10s);
  const double proposed = std::nextafter(65.0, 100.0);
  const OutputVerdict verdict = decide(proposed);
  EXPECT_EQ(verdict.action, Action::accepted);
  EXPECT_EQ(verdict.value, proposed);
}

TEST_F(GuardTest, proposals_that_are_not_finite_are_held_with_the_reason) {
  decide(50.0);
  for (const double value : {kNan, kInfinity, -kInfinity}) {
    wait(10s);
    const OutputVerdict verdict = decide(value);
    EXPECT_EQ(verdict.action, Action::held);
    EXPECT_EQ(verdict.value, 50.0);
    EXPECT_EQ(verdict.reasons, bits({Reason::not_finite, Reason::policy_fault}));
  }
}

TEST_F(GuardTest, a_missing_proposal_holds_as_late) {
  decide(50.0);
  wait(10s);
  const OutputVerdict verdict = decide({OutputProposal{}, OutputProposal{}})[0];
  EXPECT_EQ(verdict.action, Action::held);
  EXPECT_EQ(describe(verdict.reasons), "late");
}

TEST_F(GuardTest, automatic_starts_from_the_live_value) {
  guard_->set_mode(Mode::manual);
  plant_.set(kHeating, 120.0, now_);
  EXPECT_EQ(decide(10.0).action, Action::withheld);
  wait(1h);
  plant_.set(kHeating, 90.0, now_);
  guard_->set_mode(Mode::automatic);
  EXPECT_EQ(decide(10.0).value, 90.0) << "no time has passed since the value was last moved";
  wait(10s);
  EXPECT_EQ(decide(10.0).value, 75.0);
}

TEST_F(GuardTest, a_restart_starts_from_the_live_value) {
  plant_.set(kHeating, 120.0, now_);
  restart();
  EXPECT_EQ(decide(10.0).value, 120.0);
  wait(10s);
  EXPECT_EQ(decide(10.0).value, 105.0);
}

TEST_F(GuardTest, without_a_live_value_nothing_is_written) {
  plant_.samples[kHeating] = {};
  const OutputVerdict verdict = decide(50.0);
  EXPECT_EQ(verdict.action, Action::withheld);
  EXPECT_EQ(describe(verdict.reasons), "bad_input");
  EXPECT_TRUE(std::isnan(verdict.value));
}

TEST_F(GuardTest, from_a_live_value_outside_the_limits_the_first_write_is_the_nearest_limit) {
  plant_.set(kHeating, 190.0, now_);
  const OutputVerdict verdict = decide(20.0);
  EXPECT_EQ(verdict.value, 150.0);
  EXPECT_EQ(verdict.action, Action::clamped);
}

TEST_F(GuardTest, shadow_and_advisory_judge_and_write_nothing) {
  for (const Mode mode : {Mode::shadow, Mode::advisory}) {
    guard_->set_mode(mode);
    const OutputVerdict verdict = decide(1000.0);
    EXPECT_EQ(verdict.action, Action::withheld);
    EXPECT_EQ(verdict.value, 50.0) << "the live value";
    EXPECT_EQ(verdict.reasons & bits({Reason::mode, Reason::limit_high}), bits({Reason::mode, Reason::limit_high}));
  }
}

TEST_F(GuardTest, an_agent_writes_its_own_outputs_only) {
  agent_ = 1;
  const auto verdicts = decide({OutputProposal{60.0, true}, OutputProposal{1.0, true}});
  EXPECT_EQ(verdicts[0].action, Action::withheld);
  EXPECT_EQ(describe(verdicts[0].reasons), "not_owner");
  EXPECT_NE(verdicts[1].action, Action::withheld);
  agent_ = 7;
  for (const auto& verdict : decide({OutputProposal{60.0, true}, OutputProposal{1.0, true}}))
    EXPECT_EQ(describe(verdict.reasons), "not_owner");
}

TEST_F(GuardTest, leaving_remote_stops_writing_in_the_same_decision_and_coming_back_is_bumpless) {
  decide(50.0);
  wait(10s);
  plant_.set(kHeatingMode, 0.0, now_);
  OutputVerdict verdict = decide(55.0);
  EXPECT_EQ(verdict.action, Action::withheld);
  EXPECT_EQ(describe(verdict.reasons), "dcs_took_over");
  plant_.set(kHeating, 100.0, now_);
  wait(1s);
  decide(55.0);
  plant_.set(kHeatingMode, 1.0, now_);
  wait(1s);
  verdict = decide(55.0);
  EXPECT_EQ(verdict.action, Action::clamped);
  EXPECT_EQ(verdict.value, 98.0);
}

TEST_F(GuardTest, a_mode_that_cannot_be_read_is_not_ours) {
  for (const Quality quality : {Quality::bad, Quality::uncertain}) {
    plant_.samples[kHeatingMode].quality = quality;
    EXPECT_EQ(decide(50.0).reasons, bits({Reason::dcs_took_over, Reason::bad_input}));
  }
  plant_.set(kHeatingMode, kNan, now_);
  EXPECT_EQ(decide(50.0).action, Action::withheld);
}

TEST_F(GuardTest, an_interlock_writes_the_safe_value_at_once) {
  decide(50.0);
  wait(1s);
  plant_.set(kTemperature, 39.0, now_);
  const OutputVerdict verdict = decide(55.0);
  EXPECT_EQ(verdict.action, Action::clamped);
  EXPECT_EQ(verdict.value, 0.0) << "the interlock goes before the rate";
  EXPECT_EQ(describe(verdict.reasons), "interlock");
  wait(10s);
  plant_.set(kTemperature, 20.0, now_);
  EXPECT_EQ(decide(150.0).value, 15.0) << "back from the safe value by the rates";
}

TEST_F(GuardTest, an_interlock_whose_input_is_bad_stale_strange_or_not_finite_trips) {
  decide(50.0);
  const auto trips = [&] { return (decide(50.0).reasons & bits({Reason::interlock})) != 0; };
  EXPECT_FALSE(trips());
  plant_.samples[kTemperature].quality = Quality::bad;
  EXPECT_TRUE(trips());
  plant_.samples[kTemperature].quality = Quality::uncertain;
  EXPECT_TRUE(trips());
  plant_.set(kTemperature, kNan, now_);
  EXPECT_TRUE(trips());
  plant_.set(kTemperature, -50.0, now_);
  EXPECT_TRUE(trips()) << "outside its operating range the sensor is wrong";
  plant_.set(kTemperature, 20.0, now_ - 31s);
  EXPECT_EQ(decide(50.0).reasons & bits({Reason::interlock, Reason::stale_input}),
            bits({Reason::interlock, Reason::stale_input}));
  plant_.set(kTemperature, 20.0, now_ + 31s);
  EXPECT_TRUE(trips()) << "a clock far ahead says nothing of the present";
  plant_.set(kTemperature, 20.0, now_ - 29s);
  EXPECT_FALSE(trips());
}

TEST_F(GuardTest, an_interlock_without_any_sample_trips) {
  std::array<OutputVerdict, 2> verdicts;
  guard_->decide({.now = now_, .agent_alive = true, .link_up = true}, verdicts);
  EXPECT_EQ(verdicts[0].action, Action::withheld) << "its mode is unknown";
  EXPECT_EQ(verdicts[1].value, 1.0) << "the safe value of the fan";
  EXPECT_EQ(verdicts[1].reasons, bits({Reason::interlock, Reason::bad_input}));
}

TEST_F(GuardTest, a_lost_agent_is_held_and_then_replaced_by_the_fallback) {
  decide(50.0);
  alive_ = false;
  fallback_ = {{150.0, true}, {0.0, true}};
  wait(1s);
  OutputVerdict verdict = decide(60.0);
  EXPECT_EQ(verdict.action, Action::held);
  EXPECT_EQ(describe(verdict.reasons), "agent_lost");
  EXPECT_EQ(verdict.value, 50.0);
  wait(59s);
  EXPECT_EQ(decide(60.0).action, Action::held);
  wait(1s);
  verdict = decide(60.0);
  EXPECT_EQ(verdict.action, Action::fallback);
  EXPECT_EQ(verdict.value, 65.0) << "the rates hold for the fallback controller too";
  EXPECT_EQ(describe(verdict.reasons), "rate, agent_lost");
  fallback_[0].value = kNan;
  wait(10s);
  EXPECT_EQ(decide(60.0).action, Action::held);
  alive_ = true;
  wait(10s);
  EXPECT_EQ(decide(66.0).action, Action::accepted);
}

TEST_F(GuardTest, with_the_link_down_nothing_is_written) {
  decide(50.0);
  link_up_ = false;
  wait(10s);
  const OutputVerdict verdict = decide(60.0);
  EXPECT_EQ(verdict.action, Action::withheld);
  EXPECT_EQ(describe(verdict.reasons), "link_down");
}

TEST_F(GuardTest, after_an_outage_the_plants_own_value_is_the_base) {
  decide(50.0);
  link_up_ = false;
  wait(1s);
  decide(60.0);
  plant_.set(kHeating, 35.0, now_);
  link_up_ = true;
  wait(1s);
  EXPECT_EQ(decide(60.0).value, 35.0) << "seen first now: no time, no change";
  wait(1s);
  EXPECT_EQ(decide(60.0).value, 37.0);
}

TEST_F(GuardTest, a_write_that_may_have_been_lost_keeps_the_next_one_near_both_values) {
  decide(50.0);
  wait(10s);
  std::array<OutputVerdict, 2> verdicts;
  const std::array<OutputProposal, 2> up{{{65.0, true}, {0.0, true}}};
  guard_->decide(input(up), verdicts);
  ASSERT_EQ(verdicts[0].value, 65.0);
  // No applied(): the plant may hold 50 or 65.
  wait(10s);
  const std::array<OutputProposal, 2> further{{{80.0, true}, {0.0, true}}};
  guard_->decide(input(further), verdicts);
  EXPECT_EQ(verdicts[0].value, 65.0);
  guard_->applied(0, 65.0, now_);
  wait(10s);
  guard_->decide(input(further), verdicts);
  EXPECT_EQ(verdicts[0].value, 80.0);
}

TEST_F(GuardTest, a_value_that_the_plant_changed_is_the_base) {
  decide(50.0);
  wait(10s);
  plant_.set(kHeating, 20.0, now_);
  EXPECT_EQ(decide(60.0).value, 20.0) << "somebody moved it this moment";
  wait(1s);
  EXPECT_EQ(decide(60.0).value, 22.0);
  guard_->applied(0, 21.0, now_);
  plant_.set(kHeating, 21.0, now_);
  wait(1s);
  EXPECT_EQ(decide(60.0).value, 23.0);
}

TEST_F(GuardTest, a_subscription_that_lags_is_no_foreign_change) {
  decide(50.0);
  for (int i = 1; i <= 20; ++i) {
    const Sample old = plant_.samples[kHeating];
    wait(1s);
    plant_.samples[kHeating].value = old.value;  // one second behind
    plant_.samples[kHeating].source_time = now_;
    const std::array<OutputProposal, 2> proposals{{{50.0 + 2 * i, true}, {0.0, true}}};
    std::array<OutputVerdict, 2> verdicts;
    guard_->decide(input(proposals), verdicts);
    EXPECT_EQ(verdicts[0].action, Action::accepted);
    guard_->applied(0, verdicts[0].value, now_);
    plant_.samples[kHeating].value = verdicts[0].value;
  }
}

TEST_F(GuardTest, minimum_times_hold_the_fan) {
  const auto fan = [&](double value) {
    agent_ = 1;
    return decide({OutputProposal{}, OutputProposal{value, true}})[1];
  };
  fan(0.0);
  wait(300s);
  EXPECT_EQ(fan(3.0).action, Action::accepted);
  wait(119s);
  OutputVerdict verdict = fan(0.0);
  EXPECT_EQ(verdict.action, Action::held);
  EXPECT_EQ(describe(verdict.reasons), "minimum_on_time");
  EXPECT_EQ(verdict.value, 3.0);
  wait(1s);
  EXPECT_EQ(fan(0.0).action, Action::accepted);
  wait(299s);
  EXPECT_EQ(describe(fan(3.0).reasons), "minimum_off_time");
  wait(1s);
  EXPECT_EQ(fan(3.0).action, Action::accepted);
}

TEST_F(GuardTest, starts_an_hour_are_counted) {
  agent_ = 1;
  site_.guard.outputs[1].minimum_on_s = site_.guard.outputs[1].minimum_off_s = 0.0;
  restart();
  const auto fan = [&](double value) { return decide({OutputProposal{}, OutputProposal{value, true}})[1]; };
  fan(0.0);
  for (int i = 0; i < 3; ++i) {
    wait(60s);
    EXPECT_EQ(fan(3.0).action, Action::accepted);
    wait(60s);
    fan(0.0);
  }
  wait(60s);
  EXPECT_EQ(describe(fan(3.0).reasons), "starts_per_hour");
  wait(3600s - 6 * 60s);
  EXPECT_EQ(fan(3.0).action, Action::accepted) << "an hour after the first start";
}

TEST_F(GuardTest, a_person_writes_within_the_rules_and_never_beside_an_agent) {
  EXPECT_EQ(describe(guard_->decide_manual(0, 60.0, input({})).reasons), "mode, not_owner");
  guard_->set_mode(Mode::manual);
  wait(10s);
  OutputVerdict verdict = guard_->decide_manual(0, 149.0, input({}));
  EXPECT_EQ(verdict.action, Action::clamped);
  EXPECT_EQ(verdict.value, 65.0);
  apply(0, verdict.value);
  wait(10s);
  plant_.set(kTemperature, 39.0, now_);
  verdict = guard_->decide_manual(0, 70.0, input({}));
  EXPECT_EQ(verdict.value, 0.0);
  EXPECT_EQ(describe(verdict.reasons), "interlock");
  plant_.set(kTemperature, 20.0, now_);
  EXPECT_EQ(describe(guard_->decide_manual(0, kNan, input({})).reasons), "not_finite");
  plant_.set(kHeatingMode, 0.0, now_);
  EXPECT_EQ(describe(guard_->decide_manual(0, 10.0, input({})).reasons), "dcs_took_over");
}

TEST_F(GuardTest, a_clock_that_goes_back_neither_frees_nor_blocks_an_output) {
  decide(50.0);
  wait(10s);
  now_ -= 1h;
  plant_.refresh(now_);
  EXPECT_EQ(decide(150.0).value, 50.0);
  wait(1s);
  EXPECT_EQ(decide(150.0).value, 52.0);
}

TEST_F(GuardTest, deciding_allocates_nothing) {
  Random random(1);
  decide(50.0);
  const auto before = counting::allocations();
  for (int i = 0; i < 1000; ++i) {
    wait(1s);
    plant_.set(kTemperature, random.uniform(30.0, 40.0), now_);
    alive_ = random.below(4) != 0;
    decide(random.uniform(-100.0, 300.0));
    guard_->set_mode(static_cast<Mode>(random.below(4)));
    guard_->decide_manual(0, random.uniform(0.0, 100.0), input({}));
  }
  EXPECT_EQ(counting::allocations(), before);
}

// New rules, as a running site takes them over; what was learnt of the plant stays.
class GuardTakeOverTest : public GuardTest {
 protected:
  void take_over() {
    auto next = Guard::create(site_);
    ASSERT_TRUE(next) << next.error().message;
    next->take_over(*guard_);
    *guard_ = std::move(*next);
  }
};

TEST_F(GuardTakeOverTest, new_limits_hold_from_the_next_decision_on_and_rates_go_on) {
  decide(50.0);
  wait(10s);
  EXPECT_EQ(decide(65.0).value, 65.0);
  site_.guard.outputs[0].limits.high = 60.0;
  site_.guard.outputs[0].step_max = 4.0;
  take_over();
  EXPECT_EQ(decide(70.0).value, 60.0) << "what lies outside goes to the nearest limit at once";
  wait(10s);
  EXPECT_EQ(decide(50.0).value, 56.0);
}

TEST_F(GuardTakeOverTest, run_times_starts_and_silence_go_on) {
  agent_ = 1;
  const auto fan = [this](double value) {
    return decide(std::array<OutputProposal, 2>{{{0.0, true}, {value, true}}})[1];
  };
  fan(0.0);
  wait(400s);
  EXPECT_EQ(fan(2.0).value, 2.0);
  wait(60s);
  take_over();
  EXPECT_EQ(fan(0.0).reasons, bits({Reason::minimum_on_time}));
  wait(60s);
  EXPECT_EQ(fan(0.0).value, 0.0) << "120 s since it was switched, whoever ruled";
  site_.guard.outputs[1].starts_per_hour = 1;
  site_.guard.outputs[1].minimum_off_s = 0;
  take_over();
  wait(60s);
  EXPECT_EQ(fan(2.0).reasons, bits({Reason::starts_per_hour}));
}

TEST_F(GuardTakeOverTest, the_mode_and_what_is_on_its_way_stay) {
  decide(50.0);
  wait(10s);
  std::array<OutputVerdict, 2> verdicts;
  const std::array<OutputProposal, 2> up{{{60.0, true}, {0.0, true}}};
  guard_->decide(input(up), verdicts);  // and its answer is lost
  guard_->set_mode(Mode::shadow);
  take_over();
  EXPECT_EQ(guard_->mode(), Mode::shadow);
  guard_->set_mode(Mode::automatic);
  wait(10s);
  plant_.samples[kHeating].quality = Quality::bad;
  EXPECT_EQ(decide(75.0).value, 65.0) << "the plant may still hold 50";
}

TEST(GuardMemory, dividing_a_budget_allocates_nothing) {
  const config::Site site = shared_site();
  auto guard = Guard::create(site);
  ASSERT_TRUE(guard);
  GuardedPlant plant(site);
  std::array<OutputProposal, 4> proposals{{{150.0, true}, {0.0, true}, {120.0, true}, {}}};
  std::array<OutputVerdict, 4> verdicts;
  GuardInput input{
      .now = GuardedPlant::kStart, .tags = plant.samples, .proposals = proposals, .agent_alive = true, .link_up = true};
  const auto before = counting::allocations();
  for (std::uint32_t i = 0; i < 1000; ++i) {
    input.now += 1s;
    input.agent = i % 2;
    guard->decide(input, verdicts);
    guard->decide_manual(3, 50.0, input);
  }
  EXPECT_EQ(counting::allocations(), before);
}

TEST(GuardCreate, names_the_field_that_is_wrong) {
  const auto error_of = [](auto change) {
    config::Site site = guarded_site();
    change(site);
    const auto guard = Guard::create(site);
    return guard ? "created" : guard.error().message;
  };
  EXPECT_EQ(error_of([](config::Site& site) { site.guard.interlocks[0].require = "temprature < 38"; }),
            "guard.interlocks[0].require: column 1: there is no 'temprature'; did you mean 'temperature'?");
  EXPECT_EQ(error_of([](config::Site& site) { site.guard.outputs[0].mode_tag = "x"; }),
            "guard.outputs[0].mode_tag: there is no tag 'x'");
  EXPECT_EQ(error_of([](config::Site& site) { site.guard.outputs.pop_back(); }),
            "tags[4]: set-point 'fan' has no rules in guard.outputs");
  EXPECT_EQ(error_of([](config::Site& site) { site.guard.mode = "off"; }),
            "guard.mode: 'off' is not one of manual, shadow, advisory, automatic (auto)");
}

TEST(GuardWords, are_those_of_the_site_file) {
  EXPECT_EQ(describe(0), "");
  EXPECT_EQ(describe(bits({Reason::limit_high, Reason::rate})), "limit_high, rate");
  for (const Mode mode : {Mode::manual, Mode::shadow, Mode::advisory, Mode::automatic})
    EXPECT_EQ(parse_mode(to_string(mode)), mode);
  EXPECT_EQ(parse_mode("auto"), Mode::automatic);
  EXPECT_STREQ(to_string(Action::fallback), "fallback");
}

}  // namespace
}  // namespace rltune::guard
