// What several outputs share: who gets how much, and that the sum holds whatever is lost, held or taken meanwhile.
#include <gtest/gtest.h>

#include <functional>

#include "guarded_site.hpp"
#include "rltune/base/random.hpp"
#include "rltune/guard/guard.hpp"

namespace rltune::guard {
namespace {

using namespace std::chrono_literals;

constexpr auto kBudget = static_cast<std::uint32_t>(Reason::budget);
enum Output : std::size_t { heating, fan, rail, pipe };

// The boiler of testing/: 160 for heating (agent 0, half of it), rail (agent 1, 0.3) and pipe (by hand, 0.2).
class BudgetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (config::OutputRule& rule : site_.guard.outputs) rule.step_max = rule.rate_per_s = rule.minimum_on_s = 0.0;
    change_site();
    restart();
  }
  virtual void change_site() {}

  void restart() {
    auto made = Guard::create(site_);
    ASSERT_TRUE(made) << made.error().message;
    guard_.emplace(std::move(*made));
  }

  GuardInput input(std::uint32_t agent) {
    return {.now = now_,
            .tags = plant_.samples,
            .proposals = proposals_,
            .fallback = fallback_,
            .agent = agent,
            .agent_alive = alive_,
            .link_up = true};
  }

  // Ten seconds later the output's agent wants this.
  OutputVerdict want(Output output, double value) {
    proposals_ = {};
    proposals_[output] = {value, true};
    return decide(output);
  }
  OutputVerdict decide(Output output) {
    wait();
    guard_->decide(input(output == heating ? 0 : 1), verdicts_);
    if (verdicts_[output].action != Action::withheld) write(output, verdicts_[output].value);
    return verdicts_[output];
  }
  OutputVerdict by_hand(Output output, double value) {
    wait();
    const OutputVerdict verdict = guard_->decide_manual(output, value, input(99));
    if (verdict.action != Action::withheld) write(output, verdict.value);
    return verdict;
  }
  void wait() {
    now_ += 10s;
    plant_.refresh(now_);
  }

  void write(Output output, double value) {
    if (lost_) return;
    plant_.set(guard_->output_tag(output), value, now_);
    guard_->applied(output, value, now_);
    EXPECT_LE(sum(), 160.0 + 1e-9);
  }
  double value(Output output) const { return plant_.samples[guard_->output_tag(output)].value; }
  double sum() const { return value(heating) + value(rail) + value(pipe); }

  config::Site site_ = shared_site();
  TimePoint now_ = GuardedPlant::kStart;
  GuardedPlant plant_{site_};
  std::optional<Guard> guard_;
  std::array<OutputProposal, 4> proposals_{}, fallback_{};
  std::array<OutputVerdict, 4> verdicts_;
  bool alive_ = true, lost_ = false;
};

TEST_F(BudgetTest, what_nobody_else_wants_is_there_to_take) {
  const OutputVerdict all = want(heating, 150.0);
  // rail has 5, and an interlock may raise it to 10 at any time; pipe has 5.
  EXPECT_DOUBLE_EQ(all.value, 145.0);
  EXPECT_EQ(all.action, Action::clamped);
  EXPECT_EQ(all.reasons, kBudget);
  EXPECT_EQ(describe(all.reasons), "budget");
  EXPECT_EQ(want(heating, 145.0).action, Action::accepted);
}

TEST_F(BudgetTest, who_wants_more_than_there_is_ends_at_its_part_and_waits_until_the_other_has_given_back) {
  want(heating, 150.0);
  EXPECT_DOUBLE_EQ(want(rail, 120.0).value, 10.0) << "heating holds the rest still";
  const double left = 155.0;  // pipe keeps its 5
  EXPECT_DOUBLE_EQ(want(heating, 150.0).value, left * 0.5 / 0.8);
  EXPECT_DOUBLE_EQ(want(rail, 120.0).value, left * 0.3 / 0.8);
  EXPECT_DOUBLE_EQ(want(heating, 150.0).value, left * 0.5 / 0.8) << "and there they stay";
  EXPECT_DOUBLE_EQ(sum(), 160.0);
  want(rail, 20.0);
  EXPECT_DOUBLE_EQ(want(heating, 150.0).value, 135.0) << "what rail leaves is heating's";
}

TEST_F(BudgetTest, one_that_wants_less_than_its_part_gets_it_whole) {
  want(heating, 150.0);
  want(rail, 40.0);
  EXPECT_DOUBLE_EQ(want(heating, 150.0).value, 115.0);
  const OutputVerdict whole = want(rail, 40.0);
  EXPECT_DOUBLE_EQ(whole.value, 40.0);
  EXPECT_EQ(whole.action, Action::accepted);
}

TEST_F(BudgetTest, a_silent_agents_output_goes_down_to_its_part_held_or_in_fallback) {
  want(heating, 150.0);
  want(rail, 120.0);
  alive_ = false;
  proposals_ = {};
  const OutputVerdict held = decide(heating);
  EXPECT_DOUBLE_EQ(held.value, 155.0 * 0.5 / 0.8);
  EXPECT_EQ(held.action, Action::clamped) << "held, this would not reach the plant";
  EXPECT_EQ(held.reasons, kBudget | static_cast<std::uint32_t>(Reason::agent_lost));
  now_ += 60s;
  fallback_[heating] = {150.0, true};
  const OutputVerdict fallback = decide(heating);
  EXPECT_EQ(fallback.action, Action::fallback);
  EXPECT_DOUBLE_EQ(fallback.value, 155.0 * 0.5 / 0.8);
}

TEST_F(BudgetTest, nobody_rises_on_a_write_that_may_be_lost) {
  want(heating, 100.0);
  want(rail, 120.0);
  EXPECT_DOUBLE_EQ(value(rail), 55.0);
  lost_ = true;
  want(heating, 20.0);
  lost_ = false;
  EXPECT_DOUBLE_EQ(want(rail, 120.0).value, 55.0);
  EXPECT_DOUBLE_EQ(value(heating), 100.0);
  want(heating, 20.0);
  EXPECT_DOUBLE_EQ(want(rail, 120.0).value, 120.0);
}

TEST_F(BudgetTest, what_cannot_be_read_lets_no_other_rise) {
  restart();
  plant_.samples[kPipe].quality = Quality::bad;
  const OutputVerdict verdict = want(heating, 100.0);
  EXPECT_DOUBLE_EQ(verdict.value, 50.0);
  EXPECT_EQ(verdict.reasons, kBudget | static_cast<std::uint32_t>(Reason::bad_input));
  EXPECT_DOUBLE_EQ(want(heating, 30.0).value, 30.0) << "it may go down";
  plant_.samples[kPipe].quality = Quality::good;
  EXPECT_DOUBLE_EQ(want(heating, 100.0).value, 100.0);
}

TEST_F(BudgetTest, after_a_restart_the_plants_own_values_count) {
  want(heating, 100.0);
  want(rail, 55.0);
  restart();
  EXPECT_DOUBLE_EQ(want(rail, 120.0).value, 55.0);
  EXPECT_DOUBLE_EQ(want(heating, 150.0).value, 155.0 * 0.5 / 0.8) << "rail has asked again";
}

TEST_F(BudgetTest, what_the_dcs_takes_is_gone) {
  want(rail, 60.0);
  plant_.set(kHeatingMode, 0.0, now_);
  plant_.set(kHeating, 140.0, now_);
  EXPECT_EQ(decide(heating).action, Action::withheld);
  proposals_ = {};
  wait();
  guard_->decide(input(1), verdicts_);
  EXPECT_DOUBLE_EQ(verdicts_[rail].value, 15.0) << "160 less the DCS's 140 and pipe's 5";
  EXPECT_EQ(verdicts_[rail].action, Action::clamped);
}

TEST_F(BudgetTest, a_person_has_what_is_left) {
  want(heating, 100.0);
  guard_->set_mode(Mode::manual);
  EXPECT_DOUBLE_EQ(by_hand(rail, 120.0).value, 55.0);
  EXPECT_DOUBLE_EQ(by_hand(heating, 150.0).value, 100.0);
  EXPECT_DOUBLE_EQ(by_hand(heating, 20.0).value, 20.0);
  const OutputVerdict more = by_hand(rail, 200.0);
  EXPECT_DOUBLE_EQ(more.value, 120.0);
  EXPECT_EQ(more.reasons, static_cast<std::uint32_t>(Reason::limit_high));
}

TEST_F(BudgetTest, in_automatic_mode_a_person_has_the_outputs_part_and_what_it_has_is_not_the_agents) {
  want(heating, 100.0);
  want(rail, 120.0);
  EXPECT_EQ(by_hand(pipe, 100.0).action, Action::clamped);
  EXPECT_DOUBLE_EQ(value(pipe), 5.0) << "nothing is left at present";
  want(rail, 5.0);
  EXPECT_DOUBLE_EQ(by_hand(pipe, 100.0).value, 50.0);
  EXPECT_DOUBLE_EQ(want(heating, 150.0).value, 100.0);
}

TEST_F(BudgetTest, room_is_kept_for_a_safe_value_which_goes_first) {
  want(heating, 150.0);
  EXPECT_DOUBLE_EQ(value(heating), 145.0);
  plant_.set(kPressure, 9.0, now_);
  EXPECT_DOUBLE_EQ(decide(rail).value, 10.0);
  EXPECT_DOUBLE_EQ(sum(), 160.0);
}

TEST_F(BudgetTest, a_look_at_the_interlocks_changes_nothing_that_was_asked) {
  want(heating, 150.0);
  want(rail, 120.0);
  GuardInput look = input(0);
  look.interlocks_only = true;
  proposals_ = {};
  for (int i = 0; i < 100; ++i) {
    guard_->decide(look, verdicts_);
    EXPECT_EQ(verdicts_[heating].action, Action::held);
    EXPECT_DOUBLE_EQ(verdicts_[heating].value, 145.0);
  }
  EXPECT_DOUBLE_EQ(want(rail, 120.0).value, 10.0) << "heating holds it still, whatever was looked at";
  EXPECT_DOUBLE_EQ(want(heating, 150.0).value, 155.0 * 0.5 / 0.8);
}

TEST_F(BudgetTest, a_mode_that_was_left_leaves_no_wishes_behind) {
  want(rail, 120.0);
  guard_->set_mode(Mode::manual);
  by_hand(rail, 5.0);
  guard_->set_mode(Mode::automatic);
  EXPECT_DOUBLE_EQ(want(heating, 150.0).value, 145.0);
}

class SlowBudgetTest : public BudgetTest {
  void change_site() override {
    site_.guard.outputs[heating].step_max = 15.0;
    site_.guard.outputs[rail].minimum_on_s = 600.0;
  }
};

TEST_F(SlowBudgetTest, who_may_go_down_but_slowly_lets_the_others_wait) {
  for (int i = 0; i < 10; ++i) want(heating, 150.0);
  ASSERT_DOUBLE_EQ(value(heating), 145.0);
  EXPECT_DOUBLE_EQ(want(rail, 120.0).value, 10.0);
  const OutputVerdict down = want(heating, 150.0);
  EXPECT_DOUBLE_EQ(down.value, 130.0);
  EXPECT_EQ(down.reasons, kBudget | static_cast<std::uint32_t>(Reason::rate));
  EXPECT_DOUBLE_EQ(want(rail, 120.0).value, 25.0);
  EXPECT_DOUBLE_EQ(want(heating, 150.0).value, 115.0);
  EXPECT_DOUBLE_EQ(want(rail, 120.0).value, 40.0);
}

TEST_F(SlowBudgetTest, who_may_not_be_switched_off_keeps_what_it_has) {
  site_.budgets[0].priorities = {{"heating", 0.9}, {"rail", 0.05}, {"pipe", 0.05}};
  restart();
  want(rail, 100.0);
  for (int i = 0; i < 3; ++i) want(heating, 150.0);
  EXPECT_DOUBLE_EQ(value(heating), 55.0);
  const OutputVerdict stays = want(rail, 100.0);
  EXPECT_EQ(stays.action, Action::held);
  EXPECT_EQ(stays.reasons, kBudget | static_cast<std::uint32_t>(Reason::minimum_on_time));
  EXPECT_DOUBLE_EQ(value(rail), 100.0);
  EXPECT_DOUBLE_EQ(want(heating, 150.0).value, 55.0);
  now_ += 600s;
  want(rail, 100.0);
  EXPECT_LT(value(rail), 20.0);
}

// Many sizes, against the definition: parts are in proportion, but for those at their floor or at what they want.
TEST(BudgetParts, are_fair_whatever_is_wanted) {
  Random random(7);
  for (int round = 0; round < 2000; ++round) {
    config::Site site;
    site.guard.mode = "automatic";
    config::Agent agent{.id = "a", .policy = "p", .period_s = 1.0};
    config::Budget budget{.name = "b", .limit = random.uniform(50.0, 200.0)};
    const std::size_t count = 2 + random.below(5);
    std::vector<Sample> tags;
    std::vector<OutputProposal> proposals;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name = "out" + std::to_string(i);
      const double low = random.uniform() < 0.5 ? 0.0 : random.uniform(0.0, 8.0);
      site.tags.push_back({.name = name, .role = config::TagRole::setpoint});
      site.guard.outputs.push_back({.tag = name, .limits = {low, 100.0}, .safe_value = low});
      agent.outputs.push_back(name);
      budget.outputs.push_back(name);
      budget.priorities[name] = random.uniform(0.05, 1.0);
      tags.push_back({.value = low, .source_time = GuardedPlant::kStart, .quality = Quality::good});
      proposals.push_back({random.uniform(0.0, 120.0), true});
    }
    site.agents = {agent};
    site.budgets = {budget};
    auto guard = Guard::create(site);
    ASSERT_TRUE(guard) << guard.error().message;
    std::vector<OutputVerdict> verdicts(count);
    guard->decide(
        {.now = GuardedPlant::kStart, .tags = tags, .proposals = proposals, .agent_alive = true, .link_up = true},
        verdicts);
    double sum = 0.0, wanted = 0.0, level = 0.0;
    for (std::size_t i = 0; i < count; ++i) {
      const config::Range limits = site.guard.outputs[i].limits;
      const double want = std::clamp(proposals[i].value, limits.low, limits.high);
      sum += verdicts[i].value;
      wanted += want;
      EXPECT_LE(verdicts[i].value, want + 1e-9);
      EXPECT_GE(verdicts[i].value, limits.low - 1e-9);
      if (verdicts[i].value < want - 1e-6 && verdicts[i].value > limits.low + 1e-6)
        level = verdicts[i].value / budget.priorities[budget.outputs[i]];
    }
    EXPECT_NEAR(sum, std::min(wanted, budget.limit), 1e-6);
    for (std::size_t i = 0; i < count && level > 0.0; ++i) {
      const double fair = level * budget.priorities[budget.outputs[i]];
      const config::Range limits = site.guard.outputs[i].limits;
      const double want = std::clamp(proposals[i].value, limits.low, limits.high);
      EXPECT_NEAR(verdicts[i].value, std::clamp(fair, limits.low, std::max(limits.low, want)), 1e-6);
    }
  }
}

TEST(BudgetCreate, refuses_budgets_that_cannot_be_kept) {
  const auto refusal = [](const std::function<void(config::Site&)>& change) {
    config::Site site = shared_site();
    change(site);
    const auto made = Guard::create(site);
    return made ? std::string() : made.error().message;
  };
  EXPECT_NE(refusal([](auto& site) { site.budgets[0].outputs[0] = "pressure"; }).find("budgets[0].outputs: 'pressure'"),
            std::string::npos);
  EXPECT_NE(refusal([](auto& site) { site.budgets[0].priorities.erase("rail"); }).find("has no part for 'rail'"),
            std::string::npos);
  EXPECT_NE(refusal([](auto& site) { site.budgets[0].limit = 9.0; }).find("budgets[0].limit"), std::string::npos);
  EXPECT_NE(refusal([](auto& site) { site.budgets.push_back(site.budgets[0]); }).find("has a budget already"),
            std::string::npos);
  EXPECT_NE(refusal([](auto& site) { site.guard.outputs[2].limits.low = -1.0; }).find("may be negative"),
            std::string::npos);
}

}  // namespace
}  // namespace rltune::guard
