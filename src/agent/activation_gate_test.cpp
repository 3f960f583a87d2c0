#include "activation_gate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "rltune/base/random.hpp"
#include "rltune/base/sha256.hpp"
#include "sample_artifact.hpp"

namespace rltune::agent {
namespace {

using testing::HasSubstr;

class ActivationGateTest : public testing::Test {
 protected:
  ActivationGateTest() { watch(100); }
  void watch(int count) {
    Random random(3);
    std::vector<float> observation(4);
    for (int i = 0; i < count; ++i) {
      for (float& value : observation) value = static_cast<float>(random.uniform(-1.0, 2.0));
      gate_.watch(observation);
    }
  }
  // The acting network with every weight changed by this part of itself.
  nn::NetworkDescription changed(float part) const {
    nn::NetworkDescription network = acting_;
    for (nn::DenseLayer& layer : network.layers) {
      for (float& weight : layer.weight) weight *= 1.0F + part;
      for (float& bias : layer.bias) bias *= 1.0F + part;
    }
    return network;
  }
  Candidate candidate(const nn::NetworkDescription& network) const {
    Candidate made;
    made.onnx = nn::to_onnx(network, "test").value_or("");
    made.sha256 = sha256(made.onnx);
    made.shadow = {.observations = 100, .gain = 0.1, .gain_low = 0.05, .margin = 0.01};
    return made;
  }
  std::string refusal(const Candidate& candidate) const {
    const auto examined = gate_.examine(candidate, acting_);
    return examined ? "" : examined.error().message;
  }

  nn::NetworkDescription acting_ = policy::sample_network(4, 2);
  ActivationGate gate_{4, {}};
};

TEST_F(ActivationGateTest, a_small_improvement_passes) {
  const auto network = gate_.examine(candidate(changed(0.05F)), acting_);
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_EQ(network->layers[0].weight, changed(0.05F).layers[0].weight);
  EXPECT_NEAR(relative_change(*network, acting_), 0.05, 1e-6);
}

TEST_F(ActivationGateTest, a_large_step_waits) {
  EXPECT_THAT(refusal(candidate(changed(0.25F))), HasSubstr("the weights change by 0.250"));
}

TEST_F(ActivationGateTest, what_is_worse_in_shadow_waits) {
  Candidate worse = candidate(changed(0.05F));
  worse.shadow.gain = -0.2;
  worse.shadow.gain_low = -0.3;
  EXPECT_THAT(refusal(worse), HasSubstr("in shadow"));
  worse.shadow.margin = 0.4;  // a loss that small counts as none
  EXPECT_EQ(refusal(worse), "");
}

TEST_F(ActivationGateTest, figures_that_are_not_numbers_never_pass) {
  Candidate bad = candidate(changed(0.05F));
  bad.shadow.gain_low = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NE(refusal(bad), "");
  bad = candidate(changed(0.05F));
  bad.shadow.margin = std::numeric_limits<double>::infinity();
  EXPECT_NE(refusal(bad), "");
}

TEST_F(ActivationGateTest, weights_that_are_not_finite_or_no_network_never_pass) {
  nn::NetworkDescription network = changed(0.05F);
  network.layers[1].weight[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(refusal(candidate(network)), "");
  Candidate junk = candidate(changed(0.05F));
  junk.onnx = "junk";
  EXPECT_NE(refusal(junk), "");
}

TEST_F(ActivationGateTest, another_shape_or_normalisation_never_passes) {
  EXPECT_THAT(refusal(candidate(policy::sample_network(5, 2))), HasSubstr("shape"));
  nn::NetworkDescription network = changed(0.05F);
  network.mean[0] += 0.1F;
  EXPECT_THAT(refusal(candidate(network)), HasSubstr("normalises"));
}

TEST_F(ActivationGateTest, actions_that_change_too_much_wait_though_the_weights_hardly_did) {
  // A bias behind tanh: small beside all weights, large in the action.
  nn::NetworkDescription network = acting_;
  network.layers[1].bias[0] += 2.0F;
  ActivationGate lenient(4, {.weight_change_max = 10.0});
  Random random(3);
  std::vector<float> observation(4, 0.5F);
  for (int i = 0; i < 100; ++i) lenient.watch(observation);
  const auto examined = lenient.examine(candidate(network), acting_);
  ASSERT_FALSE(examined);
  EXPECT_THAT(examined.error().message, HasSubstr("an action on a live observation"));
}

TEST_F(ActivationGateTest, before_enough_was_seen_live_nothing_changes) {
  const ActivationGate fresh(4, {});
  const auto examined = fresh.examine(candidate(changed(0.05F)), acting_);
  ASSERT_FALSE(examined);
  EXPECT_THAT(examined.error().message, HasSubstr("64 are needed"));
}

}  // namespace
}  // namespace rltune::agent
