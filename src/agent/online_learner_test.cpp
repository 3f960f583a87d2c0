#include "online_learner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "activation_gate.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/random.hpp"
#include "sample_artifact.hpp"

namespace rltune::agent {
namespace {

class OnlineLearnerTest : public testing::Test {
 protected:
  OnlineLearnerTest() {
    artifact_.manifest.plant = "";
    artifact_.sha256 = "artifact";
    agent_.id = "climate";
  }
  ~OnlineLearnerTest() override { std::filesystem::remove_all(folder_); }

  Result<OnlineLearner> fresh() { return OnlineLearner::create(agent_, artifact_, options_); }

  // A plant whose reward is the first action: more of it is better, whatever the state.
  void feed(OnlineLearner& learner, int count, std::uint64_t seed = 1) {
    Random random(seed);
    const std::size_t width = artifact_.manifest.observation.size();
    for (int i = 0; i < count; ++i) {
      experience::Transition transition;
      for (std::size_t k = 0; k < width; ++k) {
        transition.observation.push_back(static_cast<float>(random.uniform(0.0, 2.0)));
        transition.next_observation.push_back(static_cast<float>(random.uniform(0.0, 2.0)));
      }
      transition.action = {static_cast<float>(random.uniform(-1.0, 1.0)),
                           static_cast<float>(random.uniform(-1.0, 1.0))};
      transition.reward = static_cast<double>(transition.action[0]);
      transition.time = TimePoint(Duration(i));
      learner.add(transition);
    }
  }
  static std::filesystem::path new_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "rltune-online-XXXXXX").string();
    return ::mkdtemp(name.data());
  }

  std::filesystem::path folder_ = new_folder();
  CheckpointStore checkpoints_{folder_};
  policy::Artifact artifact_ = policy::sample_artifact();
  config::Agent agent_;
  OnlineOptions options_{.critic_updates_first = 300, .updates_between_candidates = 50, .replay_max = 5000};
};

TEST_F(OnlineLearnerTest, nothing_is_offered_before_the_critics_know_the_plant) {
  auto learner = fresh();
  ASSERT_TRUE(learner) << learner.error().message;
  feed(*learner, 300);
  EXPECT_FALSE(learner->offer(artifact_.network));
}

TEST_F(OnlineLearnerTest, an_offer_is_better_near_and_passes_the_gate) {
  auto learner = fresh();
  ASSERT_TRUE(learner);
  feed(*learner, 2000);
  const auto offer = learner->offer(artifact_.network);
  ASSERT_TRUE(offer);
  EXPECT_GT(offer->change, 0.0);
  EXPECT_LT(offer->change, agent_.learning.weight_change_max);
  EXPECT_GT(offer->shadow.gain, 0.0);
  EXPECT_FALSE(learner->offer(artifact_.network));  // not so soon again

  ActivationGate gate(artifact_.manifest.observation.size(), {.weight_change_max = agent_.learning.weight_change_max});
  Random random(9);
  std::vector<float> observation(artifact_.manifest.observation.size());
  for (int i = 0; i < 100; ++i) {
    for (float& value : observation) value = static_cast<float>(random.uniform(0.0, 2.0));
    gate.watch(observation);
  }
  const auto network = gate.examine({.sequence = 2, .onnx = offer->onnx, .shadow = offer->shadow}, artifact_.network);
  ASSERT_TRUE(network) << network.error().message;
  // More of the first action, as this plant rewards it.
  auto before = nn::PolicyNetwork::create(artifact_.network), after = nn::PolicyNetwork::create(*network);
  std::vector<float> was(2), is(2);
  before->act(observation, was);
  after->act(observation, is);
  EXPECT_GT(is[0], was[0]);
}

TEST_F(OnlineLearnerTest, a_step_larger_than_the_site_allows_is_cut) {
  agent_.learning.weight_change_max = 1e-4;
  auto learner = fresh();
  feed(*learner, 2000);
  const auto offer = learner->offer(artifact_.network);
  ASSERT_TRUE(offer);
  EXPECT_LT(offer->change, 1e-4);
  EXPECT_GT(offer->change, 0.5e-4);
}

TEST_F(OnlineLearnerTest, a_checkpoint_brings_everything_back) {
  auto learner = fresh();
  feed(*learner, 500);
  ASSERT_TRUE(checkpoints_.save(*learner, 3));
  bool restored = false;
  auto again = checkpoints_.restore([this] { return fresh(); }, restored);
  ASSERT_TRUE(again && restored);
  EXPECT_EQ(again->transitions(), 500U);
  EXPECT_EQ(again->time(), learner->time());
  // Both go on to the same weights.
  feed(*learner, 200, 5);
  feed(*again, 200, 5);
  const auto one = learner->offer(artifact_.network), other = again->offer(artifact_.network);
  ASSERT_TRUE(one && other);
  EXPECT_EQ(one->onnx, other->onnx);
}

TEST_F(OnlineLearnerTest, a_corrupt_checkpoint_is_skipped_for_the_one_before) {
  auto learner = fresh();
  feed(*learner, 100);
  ASSERT_TRUE(checkpoints_.save(*learner, 3));
  feed(*learner, 100);
  ASSERT_TRUE(checkpoints_.save(*learner, 3));
  const auto newest = folder_ / "000000000002.checkpoint";
  std::string bytes = *read_file(newest);
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_TRUE(write_file(newest, bytes));
  bool restored = false;
  auto again = checkpoints_.restore([this] { return fresh(); }, restored);
  ASSERT_TRUE(again && restored);
  EXPECT_EQ(again->transitions(), 100U);
  EXPECT_FALSE(std::filesystem::exists(newest)) << "put aside";
}

TEST_F(OnlineLearnerTest, only_corrupt_checkpoints_mean_a_fresh_start) {
  ASSERT_TRUE(write_file(folder_ / "000000000001.checkpoint", "junk"));
  bool restored = true;
  auto again = checkpoints_.restore([this] { return fresh(); }, restored);
  ASSERT_TRUE(again);
  EXPECT_FALSE(restored);
  EXPECT_EQ(again->transitions(), 0U);
}

TEST_F(OnlineLearnerTest, a_checkpoint_of_another_artifact_does_not_count) {
  auto learner = fresh();
  feed(*learner, 100);
  ASSERT_TRUE(checkpoints_.save(*learner, 3));
  artifact_.sha256 = "another";
  bool restored = true;
  ASSERT_TRUE(checkpoints_.restore([this] { return fresh(); }, restored));
  EXPECT_FALSE(restored);
}

TEST_F(OnlineLearnerTest, few_checkpoints_are_kept) {
  auto learner = fresh();
  for (int i = 0; i < 6; ++i) {
    feed(*learner, 10);
    EXPECT_EQ(checkpoints_.save(*learner, 3).value(), i < 3 ? 0U : 1U);
  }
  const auto there = [this] { return std::distance(std::filesystem::directory_iterator(folder_), {}); };
  EXPECT_EQ(there(), 3);
  feed(*learner, 10);
  EXPECT_EQ(checkpoints_.save(*learner, 1).value(), 3U) << "another limit holds with the next one";
  EXPECT_EQ(there(), 1);
  bool restored = false;
  ASSERT_TRUE(checkpoints_.restore([this] { return fresh(); }, restored));
  EXPECT_TRUE(restored);
}

TEST_F(OnlineLearnerTest, a_policy_of_another_form_is_refused_by_name) {
  artifact_.network.layers.back().activation = nn::Activation::identity;
  artifact_.manifest.algorithm = "ppo";
  const auto refused = fresh();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("ppo"));
}

}  // namespace
}  // namespace rltune::agent
