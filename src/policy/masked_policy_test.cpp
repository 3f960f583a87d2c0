// A policy of masked actions from its training to the artifact that comes back from disk.
#include <gtest/gtest.h>
#include <unistd.h>

#include "masked_task.hpp"
#include "rltune/base/statistics.hpp"
#include "rltune/policy/artifact.hpp"
#include "rltune/rl/training.hpp"

namespace rltune::policy {
namespace {

struct MaskedCase {
  const char* algorithm;
  std::size_t instances;
  std::uint64_t steps;
  std::vector<std::pair<const char*, const char*>> hyperparameters;
};

class MaskedPolicyTest : public testing::TestWithParam<MaskedCase> {
 protected:
  MaskedPolicyTest() { std::filesystem::create_directories(folder_); }
  ~MaskedPolicyTest() override { std::filesystem::remove_all(folder_); }

  // Two environments, so that one of them begins in the middle of an episode.
  nn::NetworkDescription train() {
    const MaskedCase& c = GetParam();
    auto hyperparameters = *rl::default_hyperparameters(c.algorithm, "");
    for (const auto& [name, value] : c.hyperparameters) EXPECT_TRUE(hyperparameters.set(name, value, "test"));
    std::vector<std::unique_ptr<env::Environment>> tasks;
    std::vector<const rl::MaskedTask*> seen;
    for (int i = 0; i < 2; ++i) {
      auto task = std::make_unique<rl::MaskedTask>(c.instances / 2);
      seen.push_back(task.get());
      tasks.push_back(std::move(task));
    }
    auto workers = std::make_shared<rl::Workers>(1);
    auto learner = *rl::make_learner(c.algorithm,
                                     {.observation = seen[0]->spec().observation,
                                      .actions = 1,
                                      .discrete_actions = rl::MaskedTask::kChoices,
                                      .instances = c.instances,
                                      .workers = workers},
                                     hyperparameters);
    rl::Training training(std::move(tasks), std::move(learner), workers, 1);
    while (training.steps() < c.steps) training.advance();
    for (const rl::MaskedTask* task : seen) EXPECT_EQ(task->forbidden(), 0U);
    return training.learner().export_network();
  }

  nn::NetworkDescription exported_and_reloaded(const nn::NetworkDescription& network) const {
    Artifact artifact;
    artifact.network = network;
    Manifest& manifest = artifact.manifest;
    manifest.name = manifest.environment = "masked_task";
    manifest.created = "2026-01-02T03:04:05Z";
    manifest.algorithm = GetParam().algorithm;
    const rl::MaskedTask task(1);
    manifest.measurements = task.spec().observation;
    manifest.inputs = task.spec().action;
    for (std::size_t i = 0; i < manifest.measurements.size(); ++i)
      manifest.observation.push_back({env::Feature::Source::measurement, i, 0, manifest.measurements[i]});
    manifest.action = {{env::Actuation::Kind::absolute, 0.0, rl::MaskedTask::kChoices - 1.0, 0.0}};
    const auto saved = save_artifact(folder_, artifact);
    EXPECT_TRUE(saved) << saved.error().message;
    auto loaded = load_artifact(folder_);
    EXPECT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(loaded->manifest.discrete_actions, rl::MaskedTask::kChoices);
    return loaded->network;
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("rltune_masked_" + std::to_string(::getpid()));
};

// Returns: about -21 for doing nothing, better than -1 for a policy that knows the task.
TEST_P(MaskedPolicyTest, learns_and_never_takes_what_is_forbidden) {
  const nn::NetworkDescription network = train();
  rl::MaskedTask examination(50), again(50), silent(50, false);
  const auto first = rl::evaluate_policy(network, examination, 99);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_GT(mean(first->returns), -3.0);
  EXPECT_EQ(examination.forbidden(), 0U);

  const nn::NetworkDescription reloaded = exported_and_reloaded(network);
  const auto second = rl::evaluate_policy(reloaded, again, 99);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(first->returns, second->returns);
  EXPECT_EQ(again.forbidden(), 0U);

  // It is the mask that holds it back, not what it learned.
  ASSERT_TRUE(rl::evaluate_policy(reloaded, silent, 99));
  EXPECT_GT(silent.forbidden(), 100U);
}

INSTANTIATE_TEST_SUITE_P(Algorithms, MaskedPolicyTest,
                         testing::Values(MaskedCase{"ppo",
                                                    16,
                                                    50'000,
                                                    {{"hidden", "32x32"},
                                                     {"batch_size", "128"},
                                                     {"n_steps", "64"},
                                                     {"n_epochs", "8"},
                                                     {"gamma", "0.9"},
                                                     {"learning_rate", "3e-3"},
                                                     {"learning_rate_critic", "3e-3"}}},
                                         MaskedCase{"recurrent-ppo",
                                                    16,
                                                    50'000,
                                                    {{"recurrent_width", "24"},
                                                     {"hidden", "32"},
                                                     {"batch_size", "128"},
                                                     {"n_steps", "16"},
                                                     {"gamma", "0.9"},
                                                     {"learning_rate", "3e-3"},
                                                     {"learning_rate_critic", "3e-3"}}},
                                         MaskedCase{"dqn",
                                                    4,
                                                    8'000,
                                                    {{"hidden", "32x32"},
                                                     {"learning_starts", "200"},
                                                     {"gamma", "0.9"},
                                                     {"target_update_interval", "100"},
                                                     {"exploration_fraction", "0.05"},
                                                     {"n_timesteps", "20000"}}}),
                         [](const auto& tested) { return std::string(tested.param.algorithm).substr(0, 3); });

}  // namespace
}  // namespace rltune::policy
