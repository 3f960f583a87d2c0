// What every algorithm owes: it learns, it does not learn the opposite, it is reproducible and resumable.
#include "rltune/rl/learner.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "counting_new.hpp"
#include "practice.hpp"
#include "rltune/base/file.hpp"
#include "set_point_task.hpp"

namespace rltune::rl {
namespace {

struct AlgorithmCase {
  std::string name;
  std::vector<std::pair<std::string, std::string>> hyperparameters;
  std::size_t instances;
  std::size_t steps;        // of each instance, enough to learn the task
  std::size_t choices = 0;  // > 0: the task with discrete actions
  std::string label = {};   // the algorithm's name where empty

  SetPointTask task(double reward_sign = 1.0) const { return SetPointTask(instances, reward_sign, choices); }
  SetPointTask examination() const { return SetPointTask(50, 1.0, choices); }
};

std::string label_of(const testing::TestParamInfo<AlgorithmCase>& algorithm) {
  return algorithm.param.label.empty() ? algorithm.param.name : algorithm.param.label;
}

const AlgorithmCase kSac{"sac",
                         {{"hidden", "32x32"},
                          {"batch_size", "64"},
                          {"learning_starts", "400"},
                          {"gamma", "0.9"},
                          {"learning_rate_actor", "1e-3"},
                          {"learning_rate_critic", "1e-3"},
                          {"learning_rate_temperature", "1e-3"},
                          {"temperature_start", "0.1"}},
                         4,
                         1'000};

const AlgorithmCase kPpo{"ppo",
                         {{"hidden", "32x32"},
                          {"batch_size", "128"},
                          {"n_steps", "64"},
                          {"n_epochs", "8"},
                          {"gamma", "0.9"},
                          {"learning_rate", "3e-3"},
                          {"learning_rate_critic", "3e-3"}},
                         16,
                         2'304};

const AlgorithmCase kTd3{"td3",
                         {{"hidden", "32x32"},
                          {"batch_size", "64"},
                          {"learning_starts", "400"},
                          {"gamma", "0.9"},
                          {"learning_rate_actor", "1e-3"},
                          {"learning_rate_critic", "1e-3"}},
                         4,
                         1'000};

const AlgorithmCase kPpoSde{"ppo",
                            {{"hidden", "32x32"},
                             {"batch_size", "128"},
                             {"n_steps", "64"},
                             {"n_epochs", "8"},
                             {"gamma", "0.9"},
                             {"use_sde", "true"},
                             {"log_std_start", "-2"},
                             {"learning_rate", "3e-3"},
                             {"learning_rate_critic", "3e-3"}},
                            16,
                            2'304,
                            0,
                            "ppo_sde"};

const AlgorithmCase kRecurrentPpo{"recurrent-ppo",
                                  {{"recurrent_width", "24"},
                                   {"hidden", "32"},
                                   {"batch_size", "128"},
                                   {"n_steps", "16"},
                                   {"n_epochs", "4"},
                                   {"gamma", "0.9"},
                                   {"learning_rate", "3e-3"},
                                   {"learning_rate_critic", "3e-3"}},
                                  16,
                                  2'304,
                                  0,
                                  "recurrent_ppo"};

const AlgorithmCase kDqn{"dqn",
                         {{"hidden", "32x32"},
                          {"batch_size", "64"},
                          {"learning_starts", "200"},
                          {"gamma", "0.9"},
                          {"target_update_interval", "100"},
                          {"exploration_fraction", "0.05"},
                          {"n_timesteps", "20000"}},
                         4,
                         1'000,
                         9};

AlgorithmCase with(AlgorithmCase algorithm, std::string label,
                   const std::vector<std::pair<std::string, std::string>>& more) {
  algorithm.label = std::move(label);
  algorithm.hyperparameters.insert(algorithm.hyperparameters.end(), more.begin(), more.end());
  return algorithm;
}

const AlgorithmCase kSacSde =
    with(kSac, "sac_sde", {{"use_sde", "true"}, {"sde_sample_freq", "8"}, {"normalise_reward", "true"}});
const AlgorithmCase kDiscretePpo{"ppo", kPpo.hyperparameters, 16, 2'304, 9, "discrete_ppo"};
const AlgorithmCase kPlainDqn = with(kDqn, "plain_dqn", {{"dueling", "false"}, {"double_q", "false"}});
const AlgorithmCase kPrioritisedDqn =
    with(kDqn, "prioritised_dqn",
         {{"prioritised", "true"}, {"n_step", "3"}, {"tau", "0.5"}, {"exploration_repeat_max", "5"}});

std::unique_ptr<Learner> make(const AlgorithmCase& algorithm, const env::Environment& task, std::uint64_t seed = 1,
                              std::size_t threads = 1) {
  auto hyperparameters = default_hyperparameters(algorithm.name, "");
  for (const auto& [name, value] : algorithm.hyperparameters)
    RLTUNE_CHECK(hyperparameters->set(name, value, "test").has_value());
  auto learner = make_learner(algorithm.name,
                              {.observation = task.spec().observation,
                               .actions = task.spec().action.size(),
                               .discrete_actions = task.spec().discrete_actions,
                               .instances = task.size(),
                               .seed = seed,
                               .workers = std::make_shared<Workers>(threads)},
                              *hyperparameters);
  RLTUNE_CHECK(learner.has_value());
  return std::move(*learner);
}

std::vector<float> weights(const Learner& learner) {
  std::vector<float> all;
  const nn::NetworkDescription network = learner.export_network();
  for (const nn::RecurrentLayer& layer : network.recurrent) {
    all.insert(all.end(), layer.input_weight.begin(), layer.input_weight.end());
    all.insert(all.end(), layer.recurrent_weight.begin(), layer.recurrent_weight.end());
  }
  for (const nn::DenseLayer& layer : network.layers) {
    all.insert(all.end(), layer.weight.begin(), layer.weight.end());
    all.insert(all.end(), layer.bias.begin(), layer.bias.end());
  }
  return all;
}

// What lies within the limit counts as it is; of what lies beyond, only its sign.
TEST(Ppo, clips_rewards_beyond_the_limit_and_no_other) {
  const auto practised = [](const std::string& limit, double scale) {
    const AlgorithmCase algorithm = with(kPpo, "limited", {{"reward_limit", limit}});
    SetPointTask task = algorithm.task(scale);
    const auto learner = make(algorithm, task);
    practise(*learner, task, algorithm.steps / 6, 1);
    return weights(*learner);
  };
  EXPECT_EQ(practised("1000", 1.0), practised("0", 1.0));
  EXPECT_NE(practised("0.1", 1.0), practised("0", 1.0));
  EXPECT_EQ(practised("1e-9", 1.0), practised("1e-9", 1000.0));
}

class LearnerTest : public testing::TestWithParam<AlgorithmCase> {};

// Returns of a perfect policy: about -0.5 (the way to the set-point costs it); of doing nothing: about -21.
TEST_P(LearnerTest, learns_to_hold_a_set_point) {
  SetPointTask task = GetParam().task(), examination = GetParam().examination();
  const auto learner = make(GetParam(), task);
  const double before = mean_return(*learner, examination, 99);
  practise(*learner, task, GetParam().steps, 1);
  const double after = mean_return(*learner, examination, 99);
  EXPECT_LT(before, -3.0);
  EXPECT_GT(after, -1.5);
}

TEST_P(LearnerTest, does_not_learn_it_when_the_reward_has_the_other_sign) {
  SetPointTask task = GetParam().task(-1.0), examination = GetParam().examination();
  const auto learner = make(GetParam(), task);
  practise(*learner, task, GetParam().steps, 1);
  EXPECT_LT(mean_return(*learner, examination, 99), -15.0);
}

TEST_P(LearnerTest, same_seed_gives_the_same_bits_on_one_thread_and_on_two) {
  SetPointTask task = GetParam().task();
  const std::size_t steps = GetParam().steps / 3;
  const auto first = make(GetParam(), task, 5), second = make(GetParam(), task, 5, 2),
             other = make(GetParam(), task, 6);
  practise(*first, task, steps, 1);
  practise(*second, task, steps, 1);
  practise(*other, task, steps, 1);
  EXPECT_EQ(weights(*first), weights(*second));
  EXPECT_NE(weights(*first), weights(*other));
}

TEST_P(LearnerTest, a_restored_learner_continues_to_the_same_bits) {
  std::string pattern = (std::filesystem::temp_directory_path() / "rltune-learner-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  SetPointTask task = GetParam().task();
  const std::size_t steps = GetParam().steps / 3;
  const auto original = make(GetParam(), task), copy = make(GetParam(), task, 77);
  practise(*original, task, steps, 1);
  ASSERT_TRUE(save(*original, folder / "learner"));
  ASSERT_TRUE(load(*copy, folder / "learner"));
  EXPECT_EQ(weights(*original), weights(*copy));
  practise(*original, task, steps, 2);
  practise(*copy, task, steps, 2);
  EXPECT_EQ(weights(*original), weights(*copy));

  std::string bytes = *read_file(folder / "learner");
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_TRUE(write_file(folder / "learner", bytes));
  EXPECT_EQ(load(*copy, folder / "learner").error().code, Errc::corrupt);
  std::filesystem::remove_all(folder);
}

TEST_P(LearnerTest, starts_from_an_imported_policy) {
  SetPointTask task = GetParam().task();
  const auto teacher = make(GetParam(), task, 1), pupil = make(GetParam(), task, 2);
  practise(*teacher, task, GetParam().steps / 3, 1);
  ASSERT_TRUE(pupil->import_network(teacher->export_network()));
  // To rounding: a dueling network takes a policy apart.
  const std::vector<float> given = weights(*teacher), taken = weights(*pupil);
  ASSERT_EQ(given.size(), taken.size());
  for (std::size_t i = 0; i < given.size(); ++i) EXPECT_NEAR(given[i], taken[i], 1e-6);
  nn::NetworkDescription wrong = teacher->export_network();
  wrong.layers.pop_back();
  EXPECT_EQ(pupil->import_network(wrong).error().code, Errc::mismatch);
}

// Reward 1 a step, and the clock or the task ends an episode after each step with this chance: the value of a truncated
// state is 1 / (1 - gamma), of a terminated one 1 / (1 - gamma (1 - chance)).
class EndsSoon final : public env::Environment {
 public:
  EndsSoon(std::size_t size, bool terminates, std::size_t choices, double chance)
      : size_(size), terminates_(terminates), chance_(chance) {
    spec_.discrete_actions = choices;
    spec_.observation = {{"x", "1", -1.0, 1.0, ""}};
    spec_.action = {{"a", "1", -1.0, 1.0, ""}};
    spec_.episode_steps_max = 1;
  }
  const env::EnvironmentSpec& spec() const noexcept override { return spec_; }
  std::size_t size() const noexcept override { return size_; }
  void reset(std::uint64_t, std::span<float> observations) override { std::ranges::fill(observations, 0.5F); }
  void step(std::span<const float>, const env::StepOutput& out) override {
    std::ranges::fill(out.observations, 0.5F);
    std::ranges::fill(out.final_observations, 0.5F);
    std::ranges::fill(out.rewards, 1.0F);
    for (std::size_t i = 0; i < size_; ++i) {
      const bool ends = random_.uniform() < chance_;
      out.terminated[i] = ends && terminates_ ? 1 : 0;
      out.truncated[i] = ends && !terminates_ ? 1 : 0;
    }
  }

  void archive(Archive&) override {}

 private:
  std::size_t size_;
  bool terminates_;
  double chance_;
  Random random_{3};
  env::EnvironmentSpec spec_;
};

TEST_P(LearnerTest, truncation_bootstraps_and_termination_does_not) {
  AlgorithmCase algorithm = GetParam();
  algorithm.hyperparameters.emplace_back("gamma", "0.9");
  if (algorithm.name == "sac") {
    algorithm.hyperparameters.emplace_back("temperature_start", "1e-6");
    algorithm.hyperparameters.emplace_back("learning_rate_temperature", "0");
    algorithm.hyperparameters.emplace_back("tau", "0.05");
  }
  if (algorithm.name == "td3") algorithm.hyperparameters.emplace_back("tau", "0.05");
  if (algorithm.name == "dqn")
    for (const auto& [name, value] :
         {std::pair{"train_freq", "1"}, {"target_update_interval", "20"}, {"tau", "1"}, {"learning_rate", "3e-3"}})
      algorithm.hyperparameters.emplace_back(name, value);
  // A policy that remembers must have met the states that it is asked to value.
  const double chance = algorithm.name == "recurrent-ppo" ? 0.5 : 1.0;
  EndsSoon truncates(algorithm.instances, false, algorithm.choices, chance),
      terminates(algorithm.instances, true, algorithm.choices, chance);
  const auto bootstrapped = make(algorithm, truncates), stopped = make(algorithm, terminates);
  practise(*bootstrapped, truncates, algorithm.steps, 1);
  practise(*stopped, terminates, algorithm.steps, 1);
  EXPECT_NEAR(bootstrapped->metrics().at("train/value"), 10.0, 1.5);
  EXPECT_NEAR(stopped->metrics().at("train/value"), 1.0 / (1.0 - 0.9 * (1.0 - chance)), 0.2);
}

INSTANTIATE_TEST_SUITE_P(Algorithms, LearnerTest,
                         testing::Values(kSac, kSacSde, kPpo, kPpoSde, kDiscretePpo, kRecurrentPpo, kTd3, kDqn,
                                         kPlainDqn, kPrioritisedDqn),
                         label_of);

class SteadyTest : public testing::TestWithParam<AlgorithmCase> {};

TEST_P(SteadyTest, a_training_step_takes_no_memory) {
  SetPointTask task = GetParam().task();
  const auto learner = make(GetParam(), task);
  practise(*learner, task, GetParam().steps / 3, 1);
  Tables t(task);
  task.reset(1, t.now);
  const std::uint64_t before = counting::allocations();
  std::size_t updates = 0;
  for (int step = 0; step < 100; ++step) {
    learner->act({.observations = t.now}, t.actions);
    task.step(t.actions, t.output());
    learner->observe(t.transitions());
    updates += learner->update();
    t.now.swap(t.next);
  }
  EXPECT_GT(updates, 20U);
  EXPECT_EQ(counting::allocations(), before);
}

INSTANTIATE_TEST_SUITE_P(Algorithms, SteadyTest,
                         testing::Values(kSac, kSacSde, kPpo, kPpoSde, kDiscretePpo, kRecurrentPpo, kTd3, kDqn,
                                         kPrioritisedDqn),
                         label_of);

TEST(Learner, a_step_of_learning_from_data_takes_no_memory) {
  for (const char* name : {"bc", "td3-bc", "iql"}) {
    auto hyperparameters = *default_hyperparameters(name, "");
    for (const auto& [which, value] : {std::pair{"hidden", "32x32"}, {"batch_size", "64"}, {"buffer_size", "2000"}})
      ASSERT_TRUE(hyperparameters.set(which, value, "test"));
    SetPointTask task(1);
    const auto learner = *make_learner(name, {.observation = task.spec().observation, .actions = 1}, hyperparameters);
    Tables t(task);
    Random random(3);
    task.reset(1, t.now);
    for (int step = 0; step < 500; ++step) {
      t.actions[0] = static_cast<float>(random.uniform(-1.0, 1.0));
      task.step(t.actions, t.output());
      learner->observe(t.transitions());
      t.now.swap(t.next);
    }
    for (int step = 0; step < 10; ++step) learner->update();
    const std::uint64_t before = counting::allocations();
    std::size_t made = 0;
    for (int step = 0; step < 100; ++step) made += learner->update();
    EXPECT_EQ(counting::allocations(), before) << name;
    EXPECT_EQ(made, 100U) << name;
  }
}

// Action 1 brings 1 and action 0 nothing; gamma 0.5. Where successors allow action 0 alone, action 1 is worth 1; where
// they allow both, 1 / (1 - 0.5).
TEST(Learner, dqn_neither_takes_nor_expects_what_a_mask_forbids) {
  auto hyperparameters = default_hyperparameters("dqn", "");
  for (const auto& [name, value] : {std::pair{"hidden", "16"},
                                    {"learning_starts", "10"},
                                    {"gamma", "0.5"},
                                    {"target_update_interval", "50"},
                                    {"learning_rate", "3e-3"},
                                    {"train_freq", "1"},
                                    {"exploration_fraction", "0"},
                                    {"exploration_final_eps", "0.5"}})
    ASSERT_TRUE(hyperparameters->set(name, value, "test"));
  LearnerOptions options{.observation = {{"x", "1", -1.0, 1.0, ""}}, .actions = 1, .discrete_actions = 2};
  for (const bool masked : {true, false}) {
    auto learner = make_learner("dqn", options, *hyperparameters);
    ASSERT_TRUE(learner) << learner.error().message;
    const float x = 0.5F;
    const std::array<std::uint8_t, 2> mask{1, static_cast<std::uint8_t>(masked ? 0 : 1)};
    const std::uint8_t no = 0;
    for (int i = 0; i < 2'000; ++i) {
      float action = 0.0F;
      (*learner)->act({{&x, 1}, mask}, {&action, 1});
      EXPECT_LE(action, masked ? 0.0F : 1.0F);
      const float taken = static_cast<float>(i % 2), reward = taken;
      (*learner)->observe({{&x, 1}, {&taken, 1}, {&reward, 1}, {&x, 1}, {&no, 1}, {&no, 1}, {}, mask});
      (*learner)->update();
    }
    const std::array<float, 2> observations{x, x}, actions{0.0F, 1.0F};
    std::array<float, 2> values{};
    ASSERT_TRUE((*learner)->action_values(observations, actions, values));
    EXPECT_NEAR(values[0], masked ? 0.0 : 1.0, 0.1);
    EXPECT_NEAR(values[1], masked ? 1.0 : 2.0, 0.1);
  }
}

// Of 100 choices a random one is hardly drawn twice in a row: what comes again is one that lasts.
TEST(Learner, random_actions_of_dqn_last_as_long_as_they_may) {
  for (const bool lasting : {false, true}) {
    auto hyperparameters = *default_hyperparameters("dqn", "");
    for (const auto& [name, value] : {std::pair{"exploration_final_eps", "1"},
                                      {"learning_starts", "1000000"},
                                      {"exploration_repeat_max", lasting ? "20" : "1"}})
      ASSERT_TRUE(hyperparameters.set(name, value, "test"));
    auto learner = *make_learner(
        "dqn", {.observation = {{"x", "1", -1.0, 1.0, ""}}, .actions = 1, .discrete_actions = 100}, hyperparameters);
    const float x = 0.0F;
    float before = -1.0F;
    int again = 0, length = 1, longest = 1;
    for (int step = 0; step < 2'000; ++step) {
      float action = 0.0F;
      learner->act({{&x, 1}, {}}, {&action, 1});
      again += action == before ? 1 : 0;
      length = action == before ? length + 1 : 1;
      longest = std::max(longest, length);
      before = action;
    }
    // Durations 1 to 20 with a chance of 1 / n^2 have a mean of 2.25: 5 of 9 steps go on with the action before.
    EXPECT_NEAR(again / 2'000.0, lasting ? 0.56 : 0.01, lasting ? 0.06 : 0.02);
    EXPECT_EQ(longest > 5, lasting);
    EXPECT_LE(longest, 40);
  }
}

TEST(Learner, algorithms_refuse_actions_of_the_other_kind) {
  LearnerOptions options{.observation = {{"x", "1", -1.0, 1.0, ""}}, .actions = 1};
  const auto dqn = make_learner("dqn", options, *default_hyperparameters("dqn", ""));
  ASSERT_FALSE(dqn);
  EXPECT_EQ(dqn.error().code, Errc::invalid_argument);
  options.discrete_actions = 3;
  const auto td3 = make_learner("td3", options, *default_hyperparameters("td3", ""));
  ASSERT_FALSE(td3);
  EXPECT_EQ(td3.error().code, Errc::invalid_argument);
}

TEST(Learner, values_of_actions_tell_good_ones_from_bad_ones) {
  auto hyperparameters = default_hyperparameters("sac", "");
  for (const auto& [name, value] : {std::pair{"hidden", "32x32"},
                                    {"learning_starts", "64"},
                                    {"batch_size", "64"},
                                    {"gamma", "0"},
                                    {"learning_rate_critic", "0.003"},
                                    {"actor_starts", "1000000"}})
    ASSERT_TRUE(hyperparameters->set(name, value, "test"));
  LearnerOptions options;
  options.observation = {{"x", "1", -1.0, 1.0, ""}};
  options.actions = 1;
  auto learner = make_learner("sac", options, *hyperparameters);
  ASSERT_TRUE(learner) << learner.error().message;
  const auto before = (*learner)->export_network().layers;
  Random random(5);
  for (int i = 0; i < 1500; ++i) {  // reward: how near the action is to the observation
    const float x = static_cast<float>(random.uniform(-1.0, 1.0)), a = static_cast<float>(random.uniform(-1.0, 1.0));
    const float reward = -(a - x) * (a - x), next = 0.0F;
    const std::uint8_t ended = 1, cut = 0;
    (*learner)->observe({{&x, 1}, {&a, 1}, {&reward, 1}, {&next, 1}, {&ended, 1}, {&cut, 1}});
    (*learner)->update();
  }
  const std::array<float, 4> observations{0.5F, 0.5F, -0.5F, -0.5F}, actions{0.5F, -0.5F, -0.5F, 0.5F};
  std::array<float, 4> values{};
  ASSERT_TRUE((*learner)->action_values(observations, actions, values));
  EXPECT_GT(values[0], values[1] + 0.3F);
  EXPECT_GT(values[2], values[3] + 0.3F);
  // All that while the actor waited.
  EXPECT_EQ((*learner)->export_network().layers.back().weight, before.back().weight);
}

TEST(Learner, unknown_algorithms_are_refused_with_the_list) {
  const auto made = default_hyperparameters("dreamer", "lettuce");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::not_found);
  EXPECT_NE(made.error().message.find("sac"), std::string::npos);
}

TEST(Learner, plant_defaults_stand_above_the_algorithms_and_say_so) {
  const auto hyperparameters = default_hyperparameters("sac", "lettuce");
  ASSERT_TRUE(hyperparameters);
  const auto found = std::ranges::find(hyperparameters->all(), "reward_scale", &Hyperparameter::name);
  EXPECT_EQ(found->origin, "plant lettuce");
}

}  // namespace
}  // namespace rltune::rl
