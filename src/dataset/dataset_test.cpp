#include "rltune/dataset/dataset.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "rltune/base/file.hpp"
#include "some_dataset.hpp"

namespace rltune::dataset {
namespace {

TEST(Dataset, a_stored_one_comes_back_as_it_was) {
  const Folder folder;
  Dataset stored = some_dataset();
  ASSERT_TRUE(save(stored, folder.path / "data"));
  const auto read = dataset::read(folder.path / "data");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->name, "some");
  EXPECT_EQ(read->observation[0].unit, "m");
  EXPECT_EQ(read->action[0].high, 5.0);
  EXPECT_EQ(read->metadata, stored.metadata);
  ASSERT_EQ(read->episodes.size(), 2U);
  EXPECT_EQ(read->transitions(), 5U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read->episodes[i].observations, stored.episodes[i].observations);
    EXPECT_EQ(read->episodes[i].actions, stored.episodes[i].actions);
    EXPECT_EQ(read->episodes[i].rewards, stored.episodes[i].rewards);
    EXPECT_EQ(read->episodes[i].terminated, stored.episodes[i].terminated);
  }
  EXPECT_EQ(returns(*read), (std::vector<double>{3.0, 12.0}));
  EXPECT_EQ(digest(*read), digest(stored));
  stored.episodes[1].rewards[0] += 1.0F;
  EXPECT_NE(digest(*read), digest(stored));
}

TEST(Dataset, damage_is_found) {
  const Folder folder;
  ASSERT_TRUE(save(some_dataset(), folder.path / "data"));
  std::string bytes = *read_file(folder.path / "data");
  bytes[bytes.size() / 2] ^= 4;
  ASSERT_TRUE(write_file(folder.path / "data", bytes));
  EXPECT_EQ(load(folder.path / "data").error().code, Errc::corrupt);
  EXPECT_EQ(dataset::read(folder.path / "none").error().code, Errc::not_found);
}

// What is wrong is said with episode and field.
TEST(Dataset, faults_name_episode_and_field) {
  const auto message = [](auto change) {
    Dataset dataset = some_dataset();
    change(dataset);
    const auto checked = check(dataset);
    return checked ? std::string("well") : checked.error().message;
  };
  EXPECT_EQ(message([](Dataset&) {}), "well");
  EXPECT_TRUE(
      message([](Dataset& d) { d.episodes[1].observations.pop_back(); }).starts_with("episode 1, observations"));
  EXPECT_TRUE(message([](Dataset& d) { d.episodes[0].actions[1] = 1.5F; }).starts_with("episode 0, actions"));
  EXPECT_TRUE(message([](Dataset& d) { d.episodes[1].rewards[2] = std::nanf(""); }).starts_with("episode 1, rewards"));
  EXPECT_TRUE(
      message([](Dataset& d) { d.episodes[0].observations[0] = INFINITY; }).starts_with("episode 0, observations"));
  EXPECT_TRUE(message([](Dataset& d) { d.discrete_actions = 2; }).starts_with("episode 0, actions"));
  EXPECT_TRUE(message([](Dataset& d) { d.episodes.clear(); }).find("no episodes") != std::string::npos);
}

env::EnvironmentSpec spec_of_some() {
  env::EnvironmentSpec spec;
  spec.name = "task";
  spec.observation = some_dataset().observation;
  spec.action = some_dataset().action;
  return spec;
}

TEST(Dataset, one_that_does_not_fit_a_task_is_refused) {
  const auto refusal = [](auto change) {
    env::EnvironmentSpec spec = spec_of_some();
    change(spec);
    const auto made = fitted(some_dataset(), spec);
    return made ? std::string("taken") : made.error().message;
  };
  EXPECT_EQ(refusal([](auto&) {}), "taken");
  EXPECT_NE(refusal([](auto& spec) { spec.discrete_actions = 3; }).find("those of task one of 3"), std::string::npos);
  EXPECT_NE(refusal([](auto& spec) { spec.observation[0].unit = "mm"; }).find("in m, the task's in mm"),
            std::string::npos);
  EXPECT_NE(refusal([](auto& spec) { spec.observation.push_back({"more", "1", 0.0, 1.0, ""}); }).find("lack more"),
            std::string::npos);
  EXPECT_NE(refusal([](auto& spec) {
              for (env::Variable& one : spec.observation) one.name += "_of_another";
              spec.observation.push_back({"more", "1", 0.0, 1.0, ""});
            }).find("observations, task "),
            std::string::npos);
  EXPECT_NE(refusal([](auto& spec) {
              spec.action[0].high = 0.5 * (spec.action[0].low + spec.action[0].high);
            }).find("lies outside of the task's"),
            std::string::npos);
}

TEST(Dataset, columns_are_found_by_name_and_others_are_left_out) {
  Dataset data = some_dataset();
  env::EnvironmentSpec spec = spec_of_some();
  ASSERT_GE(spec.observation.size(), 2U);
  std::ranges::reverse(spec.observation);
  spec.observation.pop_back();  // what comes first in the data
  const auto made = fitted(data, spec);
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_TRUE(check(*made));
  const std::size_t width = data.observation.size();
  EXPECT_EQ(made->observation[0].name, data.observation[width - 1].name);
  EXPECT_EQ(made->episodes[1].observations[0], data.episodes[1].observations[width - 1]);
  // Names of nobody's: as they stand.
  for (env::Variable& one : data.observation) one.name += "_elsewhere";
  spec.observation = some_dataset().observation;
  EXPECT_EQ(fitted(data, spec)->episodes[0].observations, data.episodes[0].observations);
}

// The same heat is a smaller part of a wider range.
TEST(Dataset, actions_of_another_range_are_converted) {
  const Dataset data = some_dataset();
  env::EnvironmentSpec spec = spec_of_some();
  const double low = spec.action[0].low, high = spec.action[0].high;
  spec.action[0].high = high + (high - low);
  const auto made = fitted(data, spec);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_NEAR(made->episodes[0].actions[0], 0.5F * (data.episodes[0].actions[0] + 1.0F) - 1.0F, 1e-6);
  EXPECT_EQ(made->action[0].high, spec.action[0].high);
  // A task that says -1 to 1 says nothing of its range.
  spec.action[0].low = -1.0;
  spec.action[0].high = 1.0;
  EXPECT_EQ(fitted(data, spec)->episodes[0].actions, data.episodes[0].actions);
}

// Behaviour cloning on data whose action is its observation's sign: the last steps of both kinds of ending arrive.
TEST(Dataset, a_learner_is_fed_all_of_it) {
  Dataset dataset;
  dataset.observation = {{"x", "1", -1.0, 1.0, ""}};
  dataset.action = {{"a", "1", -1.0, 1.0, ""}};
  Random random(1);
  for (int i = 0; i < 50; ++i) {
    Episode episode;
    for (int step = 0; step < 20; ++step) {
      const auto x = static_cast<float>(random.uniform(-1.0, 1.0));
      episode.observations.push_back(x);
      episode.actions.push_back(x > 0.0F ? 0.8F : -0.8F);
      episode.rewards.push_back(1.0F);
    }
    episode.observations.push_back(0.0F);
    episode.terminated = i % 2 == 0;
    dataset.episodes.push_back(std::move(episode));
  }
  ASSERT_TRUE(check(dataset));
  auto hyperparameters = *rl::default_hyperparameters("bc", "");
  ASSERT_TRUE(hyperparameters.set("hidden", "32x32", "test"));
  ASSERT_TRUE(hyperparameters.set("batch_size", "64", "test"));
  ASSERT_TRUE(hyperparameters.set("buffer_size", "1000", "test"));
  auto learner = rl::make_learner("bc", {.observation = dataset.observation, .actions = 1}, hyperparameters);
  ASSERT_TRUE(learner) << learner.error().message;
  feed(dataset, **learner);
  for (int step = 0; step < 1'000; ++step) (*learner)->update();
  auto policy = nn::PolicyNetwork::create((*learner)->export_network());
  ASSERT_TRUE(policy);
  for (const float x : {-0.7F, -0.3F, 0.3F, 0.7F}) {
    float action = 0.0F;
    policy->act({&x, 1}, {&action, 1});
    EXPECT_NEAR(action, x > 0.0F ? 0.8F : -0.8F, 0.15F) << x;
  }
}

}  // namespace
}  // namespace rltune::dataset
