#include "rltune/experience/transition_builder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sample_artifact.hpp"
#include "site_of_sample.hpp"

namespace rltune::experience {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class TransitionBuilderTest : public testing::Test {
 protected:
  TransitionBuilderTest() {
    config::Learning& learning = site_.agents[0].learning;
    learning.enabled = true;
    learning.reward = "air_temperature - previous(air_temperature)";
    learning.costs = {{"heat", "0.01 * heating"}};
  }
  TransitionBuilder builder() {
    auto made = TransitionBuilder::create(site_, site_.agents[0], artifact_.manifest);
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  // A decision at `at`: the temperature it saw, heating in force until then and applied from then on.
  historian::Decision decision(Duration at, double temperature, double in_force, double applied) const {
    historian::Decision made;
    made.agent = "climate";
    made.origin = "policy";
    made.learnable = true;
    made.time = TimePoint(at);
    made.observation.assign(artifact_.manifest.observation.size(), static_cast<float>(temperature));
    made.previous_inputs = {in_force, 0.5};
    made.outputs = {{.tag = "vents", .applied = 0.55, .written = true},
                    {.tag = "heating", .applied = applied, .written = true}};
    made.seen = {{"air_temperature", temperature}, {"heating", applied}};
    return made;
  }

  config::Site site_ = site_of_sample();
  policy::Artifact artifact_ = policy::sample_artifact();  // heating absolute in [0, 150], vents increments of 0.1
};

TEST_F(TransitionBuilderTest, a_transition_is_what_was_applied_and_what_came_of_it) {
  TransitionBuilder builder = this->builder();
  EXPECT_FALSE(builder.add(decision(0s, 20.0, 75.0, 150.0)));
  const auto transition = builder.add(decision(10s, 21.5, 150.0, 0.0));
  ASSERT_TRUE(transition);
  EXPECT_THAT(transition->action, ElementsAre(1.0F, testing::FloatNear(0.5F, 1e-6F)));
  EXPECT_EQ(transition->observation[0], 20.0F);
  EXPECT_EQ(transition->next_observation[0], 21.5F);
  // Heat is charged as it was in force in the period, not as it was set at its end.
  EXPECT_DOUBLE_EQ(transition->parts.at("reward"), 1.5);
  EXPECT_DOUBLE_EQ(transition->parts.at("heat"), 1.5);
  EXPECT_DOUBLE_EQ(transition->reward, 0.0);
}

TEST_F(TransitionBuilderTest, previous_set_points_are_those_before) {
  site_.agents[0].learning.reward = "heating - previous(heating)";
  site_.agents[0].learning.costs.clear();
  TransitionBuilder builder = this->builder();
  builder.add(decision(0s, 20.0, 75.0, 150.0));
  EXPECT_DOUBLE_EQ(builder.add(decision(10s, 20.0, 150.0, 0.0))->reward, 75.0);
}

TEST_F(TransitionBuilderTest, what_a_person_did_is_left_out) {
  TransitionBuilder builder = this->builder();
  builder.add(decision(0s, 20.0, 75.0, 150.0));
  historian::Decision manual;
  manual.origin = "manual";
  manual.outputs = {{.tag = "heating", .written = true}};
  EXPECT_FALSE(builder.add(manual));
  EXPECT_FALSE(builder.add(decision(10s, 21.0, 40.0, 40.0)));
  EXPECT_TRUE(builder.add(decision(20s, 22.0, 40.0, 40.0)));
}

TEST_F(TransitionBuilderTest, a_decision_that_was_not_applied_starts_no_transition_but_may_end_one) {
  TransitionBuilder builder = this->builder();
  builder.add(decision(0s, 20.0, 75.0, 150.0));
  historian::Decision held = decision(10s, 21.0, 150.0, 150.0);
  held.learnable = false;
  EXPECT_TRUE(builder.add(held));
  EXPECT_FALSE(builder.add(decision(20s, 22.0, 150.0, 150.0)));
}

TEST_F(TransitionBuilderTest, missed_decisions_and_clocks_set_back_make_no_transition) {
  TransitionBuilder builder = this->builder();
  builder.add(decision(0s, 20.0, 75.0, 150.0));
  EXPECT_FALSE(builder.add(decision(20s, 21.0, 150.0, 150.0)));
  EXPECT_FALSE(builder.add(decision(5s, 21.0, 150.0, 150.0)));
  EXPECT_TRUE(builder.add(decision(15s, 21.0, 150.0, 150.0)));
}

TEST_F(TransitionBuilderTest, a_bad_value_in_the_reward_makes_no_transition) {
  TransitionBuilder builder = this->builder();
  builder.add(decision(0s, 20.0, 75.0, 150.0));
  historian::Decision bad = decision(10s, 21.0, 150.0, 150.0);
  bad.seen[0].value = std::nan("");
  EXPECT_FALSE(builder.add(bad));
}

TEST_F(TransitionBuilderTest, what_the_policy_cannot_do_makes_no_transition) {
  TransitionBuilder builder = this->builder();
  historian::Decision jump = decision(0s, 20.0, 75.0, 150.0);
  jump.outputs[0].applied = 0.75;  // vents moved by more than a step of 0.1
  builder.add(jump);
  EXPECT_FALSE(builder.add(decision(10s, 21.0, 150.0, 150.5)));  // rounding, of 150
  EXPECT_TRUE(builder.add(decision(20s, 21.0, 150.5, 200.0)));
  EXPECT_FALSE(builder.add(decision(30s, 21.0, 200.0, 150.0)));
}

TEST_F(TransitionBuilderTest, a_hold_without_observation_ends_nothing) {
  TransitionBuilder builder = this->builder();
  builder.add(decision(0s, 20.0, 75.0, 150.0));
  historian::Decision hold = decision(10s, 21.0, 150.0, 150.0);
  hold.observation.clear();
  EXPECT_FALSE(builder.add(hold));
  EXPECT_FALSE(builder.add(decision(20s, 21.0, 150.0, 150.0)));
}

TEST_F(TransitionBuilderTest, an_expression_that_does_not_compile_is_named) {
  site_.agents[0].learning.costs = {{"heat", "0.1 * heeting"}};
  const auto made = TransitionBuilder::create(site_, site_.agents[0], artifact_.manifest);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("learning.heat"));
}

}  // namespace
}  // namespace rltune::experience
