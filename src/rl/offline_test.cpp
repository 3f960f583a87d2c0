// What the offline algorithms owe: they learn from data alone, the better ones more than the data's own behaviour, not
// when the reward has the other sign; they are reproducible, resumable and take no memory in a step.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>

#include "iql_losses.hpp"
#include "practice.hpp"
#include "set_point_task.hpp"

namespace rltune::rl {
namespace {

using Behaviour = std::function<float(Random&, float x, float set_point)>;

float at_random(Random& random, float, float) { return static_cast<float>(random.uniform(-1.0, 1.0)); }
float expert(Random& random, float x, float set_point) {
  const float wanted = (set_point - 0.7F * x) / 0.3F + static_cast<float>(0.1 * random.normal());
  return std::clamp(wanted, -1.0F, 1.0F);
}

std::unique_ptr<Learner> make_offline(const std::string& name, std::size_t choices = 0, std::uint64_t seed = 1,
                                      std::size_t threads = 1) {
  auto hyperparameters = default_hyperparameters(name, "");
  const auto set = [&](const char* which, const char* value) {
    RLTUNE_CHECK(hyperparameters->set(which, value, "test").has_value());
  };
  set("hidden", "32x32");
  set("batch_size", "64");
  set("buffer_size", "20000");
  if (name == "bc") {
    set("learning_rate", "3e-3");
  } else {
    set("gamma", "0.9");
    set("learning_rate_actor", "1e-3");
    set("learning_rate_critic", "1e-3");
  }
  if (name == "iql") {
    set("beta", "100");
    set("expectile", "0.9");
  }
  if (name == "td3-bc") set("alpha", "20");
  const SetPointTask task(1, 1.0, choices);
  auto learner = make_learner(name,
                              {.observation = task.spec().observation,
                               .actions = 1,
                               .discrete_actions = choices,
                               .seed = seed,
                               .workers = std::make_shared<Workers>(threads)},
                              *hyperparameters);
  RLTUNE_CHECK(learner.has_value());
  return std::move(*learner);
}

void feed(Learner& learner, const Behaviour& behaviour, std::size_t steps, double reward_sign = 1.0,
          std::size_t choices = 0) {
  SetPointTask task(1, reward_sign, choices);
  Tables t(task);
  Random random(7);
  task.reset(3, t.now);
  for (std::size_t step = 0; step < steps; ++step) {
    const float wanted = behaviour(random, t.now[0], t.now[1]);
    t.actions[0] = choices == 0 ? wanted : std::round((wanted + 1.0F) / 2.0F * static_cast<float>(choices - 1));
    task.step(t.actions, t.output());
    learner.observe(t.transitions());
    t.now = t.next;
  }
}

double learn(Learner& learner, std::size_t steps, std::size_t choices = 0) {
  std::size_t made = 0;
  for (std::size_t step = 0; step < steps; ++step) made += learner.update();
  EXPECT_EQ(made, steps);
  SetPointTask examination(50, 1.0, choices);
  return mean_return(learner, examination, 99);
}

std::vector<float> policy_weights(const Learner& learner) {
  std::vector<float> all;
  for (const nn::DenseLayer& layer : learner.export_network().layers)
    all.insert(all.end(), layer.weight.begin(), layer.weight.end());
  return all;
}

TEST(Bc, does_what_the_data_did) {
  for (const std::size_t choices : {0U, 9U}) {
    const auto good = make_offline("bc", choices), indifferent = make_offline("bc", choices);
    feed(*good, expert, 5'000, 1.0, choices);
    feed(*indifferent, at_random, 5'000, 1.0, choices);
    EXPECT_GT(learn(*good, 1'500, choices), -1.5) << choices;
    EXPECT_LT(learn(*indifferent, 1'500, choices), -8.0) << choices;
  }
}

float opposite(Random& random, float x, float set_point) { return -expert(random, x, set_point); }

TEST(Bc, does_the_opposite_where_the_data_did) {
  const auto learner = make_offline("bc");
  feed(*learner, opposite, 5'000);
  EXPECT_LT(learn(*learner, 1'500), -15.0);
}

std::string test_name(const testing::TestParamInfo<const char*>& algorithm) {
  std::string label = algorithm.param;
  std::ranges::replace(label, '-', '_');
  return label;
}

class OfflineTest : public testing::TestWithParam<const char*> {};
class ImprovingTest : public testing::TestWithParam<const char*> {};

// Random actions return about -25; to learn from them is to do better than they did.
TEST_P(ImprovingTest, learns_more_than_the_data_did) {
  const auto learner = make_offline(GetParam());
  feed(*learner, at_random, 10'000);
  EXPECT_GT(learn(*learner, 5'000), -3.0);
}

TEST_P(ImprovingTest, does_not_learn_it_when_the_reward_has_the_other_sign) {
  const auto learner = make_offline(GetParam());
  feed(*learner, at_random, 10'000, -1.0);
  EXPECT_LT(learn(*learner, 5'000), -15.0);
}

INSTANTIATE_TEST_SUITE_P(Algorithms, ImprovingTest, testing::Values("td3-bc", "iql"), test_name);

TEST_P(OfflineTest, same_seed_gives_the_same_bits_on_one_thread_and_on_two) {
  const auto one = make_offline(GetParam()), two = make_offline(GetParam(), 0, 1, 2),
             other = make_offline(GetParam(), 0, 2);
  for (Learner* learner : {one.get(), two.get(), other.get()}) {
    feed(*learner, expert, 1'000);
    learn(*learner, 200);
  }
  EXPECT_EQ(policy_weights(*one), policy_weights(*two));
  EXPECT_NE(policy_weights(*one), policy_weights(*other));
}

TEST_P(OfflineTest, a_restored_learner_continues_to_the_same_bits) {
  std::string pattern = (std::filesystem::temp_directory_path() / "rltune-offline-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  const auto original = make_offline(GetParam()), copy = make_offline(GetParam(), 0, 77);
  feed(*original, expert, 1'000);
  learn(*original, 101);
  ASSERT_TRUE(save(*original, folder / "learner"));
  ASSERT_TRUE(load(*copy, folder / "learner"));
  learn(*original, 100);
  learn(*copy, 100);
  EXPECT_EQ(policy_weights(*original), policy_weights(*copy));
  std::filesystem::remove_all(folder);
}

TEST_P(OfflineTest, learns_nothing_without_data_and_says_so) {
  const auto learner = make_offline(GetParam());
  EXPECT_EQ(learner->update(), 0U);
  EXPECT_TRUE(learns_offline(GetParam()));
  EXPECT_FALSE(learns_offline("sac"));
}

TEST_P(OfflineTest, starts_from_an_imported_policy) {
  const auto teacher = make_offline(GetParam()), pupil = make_offline(GetParam(), 0, 2);
  feed(*teacher, expert, 1'000);
  learn(*teacher, 100);
  ASSERT_TRUE(pupil->import_network(teacher->export_network()));
  EXPECT_EQ(policy_weights(*teacher), policy_weights(*pupil));
  nn::NetworkDescription discrete = teacher->export_network();
  discrete.discrete = true;
  EXPECT_EQ(pupil->import_network(discrete).error().code, Errc::mismatch);
}

TEST_P(OfflineTest, what_is_not_finite_shows_in_the_metrics) {
  const auto learner = make_offline(GetParam());
  feed(*learner, expert, 100);
  const std::array<float, 2> state{0.1F, 0.2F}, next{0.1F, 0.2F};
  const float action = std::nanf(""), reward = std::nanf("");
  const std::uint8_t no = 0;
  learner->observe({state, {&action, 1}, {&reward, 1}, next, {&no, 1}, {&no, 1}});
  bool finite = true;
  for (int step = 0; step < 50; ++step) {
    learner->update();
    for (const auto& [name, value] : learner->metrics()) finite = finite && std::isfinite(value);
  }
  EXPECT_FALSE(finite);
}

INSTANTIATE_TEST_SUITE_P(Algorithms, OfflineTest, testing::Values("bc", "td3-bc", "iql"), test_name);

TEST(IqlLosses, slopes_match_differences) {
  for (const float tau : {0.3F, 0.7F, 0.9F})
    for (const float u : {-2.0F, -0.3F, 0.4F, 1.5F}) {
      const float difference = (expectile_of(u + 1e-2F, tau).loss - expectile_of(u - 1e-2F, tau).loss) / 2e-2F;
      EXPECT_NEAR(expectile_of(u, tau).slope, difference, 1e-3) << tau << " " << u;
    }
}

// Where the slope's mean is 0 stands the expectile: of 0 and 1, evenly, it is tau.
TEST(IqlLosses, the_expectile_of_a_coin_is_tau) {
  for (const float tau : {0.5F, 0.7F, 0.9F})
    EXPECT_NEAR(expectile_of(0.0F - tau, tau).slope + expectile_of(1.0F - tau, tau).slope, 0.0, 1e-6);
}

TEST(IqlLosses, weights_grow_with_the_advantage_up_to_the_largest) {
  EXPECT_FLOAT_EQ(advantage_weight(0.0F, 3.0F, 100.0F), 1.0F);
  EXPECT_NEAR(advantage_weight(0.5F, 3.0F, 100.0F), std::exp(1.5), 1e-4);
  EXPECT_FLOAT_EQ(advantage_weight(50.0F, 3.0F, 100.0F), 100.0F);
  EXPECT_TRUE(std::isnan(advantage_weight(std::nanf(""), 3.0F, 100.0F)));
}

}  // namespace
}  // namespace rltune::rl
