#include "rltune/agent/decider.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "counting_new.hpp"
#include "sample_artifact.hpp"
#include "site_of_sample.hpp"

namespace rltune::agent {
namespace {

using controllers::Outcome;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr TimePoint kStart{1'700'000'000s};

class DeciderTest : public ::testing::Test {
 protected:
  Result<Decider> create() { return Decider::create(site_, site_.agents[0], artifact_); }
  Decider decider() { return std::move(*create()); }

  config::Site site_ = experience::site_of_sample();
  policy::Artifact artifact_ = policy::sample_artifact();
};

TEST_F(DeciderTest, decides_what_the_policy_decides_on_the_same_snapshot) {
  Decider decider = this->decider();
  decider.add(experience::good_samples(kStart));
  const Decision& decision = decider.decide(kStart + 1s);
  ASSERT_EQ(decision.outcome, Outcome::ok);

  auto policy = policy::PolicyController::create(artifact_);
  ASSERT_TRUE(policy);
  const std::vector<double> measurements{21.0, 600.0}, inputs{50.0, 0.5}, exogenous{300.0}, forecast{310.0, 320.0};
  std::vector<double> wanted(2);
  const env::Snapshot snapshot{measurements, inputs, exogenous, forecast, 0.0};
  ASSERT_EQ((*policy)->act(snapshot, wanted), Outcome::ok);
  // The site lists its outputs the other way round.
  EXPECT_EQ(decision.values[0], wanted[1]);
  EXPECT_EQ(decision.values[1], wanted[0]);
  EXPECT_THAT(decision.previous_inputs, ::testing::ElementsAre(50.0, 0.5));
  EXPECT_EQ(decision.observation.size(), artifact_.manifest.observation.size());
  EXPECT_EQ(decision.network_output.size(), 2U);
}

TEST_F(DeciderTest, recurrent_decisions_carry_the_state_before_them_and_new_weights_go_on_from_it) {
  artifact_ = policy::recurrent_sample_artifact();
  Decider decider = this->decider();
  std::vector<Sample> samples = experience::good_samples(kStart);
  const auto decide_at = [&](int second) -> const Decision& {
    for (Sample& sample : samples) sample.source_time = kStart + std::chrono::seconds(second);
    decider.add(samples);
    return decider.decide(kStart + std::chrono::seconds(second));
  };
  const std::vector<float> none(artifact_.network.state_size(), 0.0F);
  EXPECT_THAT(decide_at(1).recurrent_state, ::testing::ElementsAreArray(none));
  const Decision& second = decide_at(2);
  const std::vector<float> remembered(second.recurrent_state.begin(), second.recurrent_state.end());
  EXPECT_THAT(remembered, ::testing::Not(::testing::ElementsAreArray(none)));
  const std::uint64_t before = counting::allocations();
  ASSERT_EQ(decide_at(3).outcome, Outcome::ok);
  EXPECT_EQ(counting::allocations(), before);
  ASSERT_TRUE(decider.activate(policy::recurrent_sample_artifact(5).network));
  EXPECT_THAT(decide_at(4).recurrent_state, ::testing::Not(::testing::ElementsAreArray(none)));
}

TEST_F(DeciderTest, policy_that_needs_onnx_runtime_is_refused) {
  artifact_.runtime_graph = "a graph";
  const auto refused = create();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("cannot be computed again to the same bits"));
}

TEST_F(DeciderTest, decides_without_allocating) {
  Decider decider = this->decider();
  std::vector<Sample> samples = experience::good_samples(kStart);
  const std::uint64_t before = counting::allocations();
  for (int second = 0; second < 100; ++second) {
    for (Sample& sample : samples) sample.source_time = kStart + std::chrono::seconds(second);
    decider.add(samples);
    if (decider.decide(kStart + std::chrono::seconds(second)).outcome != Outcome::ok) FAIL();
  }
  EXPECT_EQ(counting::allocations(), before);
}

TEST_F(DeciderTest, holds_when_an_input_is_not_usable) {
  Decider decider = this->decider();
  EXPECT_EQ(decider.decide(kStart).outcome, Outcome::hold);
  std::vector<Sample> samples = experience::good_samples(kStart);
  samples[0].quality = Quality::bad;
  decider.add(samples);
  const Decision& decision = decider.decide(kStart + 1s);
  EXPECT_EQ(decision.outcome, Outcome::hold);
  EXPECT_TRUE(decision.observation.empty());
}

TEST_F(DeciderTest, a_policy_that_says_nan_is_a_fault_and_proposes_what_stands) {
  artifact_.network.layers[1].bias[0] = std::numeric_limits<float>::quiet_NaN();
  auto decider = create();
  if (!decider) {  // refused as early as that is better still
    EXPECT_EQ(decider.error().code, Errc::invalid_argument);
    return;
  }
  decider->add(experience::good_samples(kStart));
  EXPECT_EQ(decider->decide(kStart).outcome, Outcome::fault);
}

TEST_F(DeciderTest, owning_less_or_more_than_the_policy_sets_is_refused_by_name) {
  site_.agents[0].outputs = {"heating"};
  auto less = create();
  ASSERT_FALSE(less);
  EXPECT_EQ(less.error().code, Errc::mismatch);
  EXPECT_THAT(less.error().message, HasSubstr("vents"));
  site_.agents[0].outputs = {"heating", "vents", "lamps"};
  auto more = create();
  ASSERT_FALSE(more);
  EXPECT_THAT(more.error().message, HasSubstr("lamps"));
}

TEST_F(DeciderTest, a_unit_that_differs_is_refused_with_both_names) {
  site_.tags[0].unit = "K";
  const auto refused = create();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::mismatch);
}

TEST_F(DeciderTest, new_weights_act_from_the_next_decision_on) {
  Decider decider = this->decider();
  decider.add(experience::good_samples(kStart));
  const std::vector<double> before(decider.decide(kStart).values.begin(), decider.decide(kStart).values.end());
  const auto other = policy::sample_network(artifact_.manifest.observation.size(), 2, 99);
  ASSERT_TRUE(decider.activate(other));
  const auto after = decider.decide(kStart).values;
  EXPECT_NE(before[0], after[0]);
  // A network of another shape changes nothing.
  EXPECT_FALSE(decider.activate(policy::sample_network(3, 2)));
  EXPECT_EQ(decider.active().layers[0].weight, other.layers[0].weight);
}

}  // namespace
}  // namespace rltune::agent
