// Gradients of the losses that TD3 and the offline algorithms are made of, against central differences.
#include <gtest/gtest.h>

#include <cmath>

#include "cloning.hpp"
#include "critics.hpp"
#include "deterministic_pass.hpp"
#include "target_smoothing.hpp"

namespace rltune::rl {
namespace {

constexpr std::size_t kRows = 6, kStates = 3, kActions = 2;
const nn::MlpShape kCritic{kStates + kActions, {8, 8}, 1, nn::Activation::tanh, false};
const nn::MlpShape kActor{kStates, {8, 8}, kActions, nn::Activation::tanh, false};

Batch some_batch(std::uint64_t seed) {
  Batch batch(kRows, kStates, kActions);
  Random random(seed);
  for (float& value : batch.now) value = static_cast<float>(random.uniform(-1.0, 1.0));
  batch.next = batch.now;
  for (float& value : batch.taken) value = static_cast<float>(random.uniform(-1.0, 1.0));
  return batch;
}

// d loss / d parameter by central differences, beside what backpropagation says.
template <typename Loss>
void expect_gradient(std::span<float> parameters, std::span<const float> gradient, Loss loss) {
  constexpr float kStep = 1e-2F;
  double square = 0.0;
  for (std::size_t i = 0; i < parameters.size(); i += 7) {
    const float before = parameters[i];
    parameters[i] = before + kStep;
    const double up = loss();
    parameters[i] = before - kStep;
    const double down = loss();
    parameters[i] = before;
    EXPECT_NEAR(static_cast<double>(gradient[i]), (up - down) / (2.0 * static_cast<double>(kStep)), 2e-3) << i;
    square += static_cast<double>(gradient[i]) * static_cast<double>(gradient[i]);
  }
  EXPECT_GT(square, 1e-4);  // the parameters matter at all
}

TEST(TwinCritics, gradients_of_the_squared_error_match_differences) {
  Random random(1);
  TwinCritics critics(kCritic, random);
  TwinCritics::Shard shard(kCritic, kRows, kStates, kActions);
  const Batch batch = some_batch(2);
  std::vector<float> target(kRows);
  for (float& value : target) value = static_cast<float>(random.uniform(-2.0, 2.0));
  const auto loss = [&] {
    critics.gradients(shard, batch.now.data(), target, 1.0F / kRows);
    return shard.loss;
  };
  loss();
  for (std::size_t c = 0; c < TwinCritics::kCount; ++c) {
    const nn::AlignedFloats gradient = shard.gradient[c];
    expect_gradient(critics.network(c).parameters(), gradient, loss);
  }
}

TEST(TwinCritics, believe_the_lower_value_and_follow_slowly) {
  Random random(1);
  TwinCritics critics(kCritic, random);
  TwinCritics::Shard shard(kCritic, kRows, kStates, kActions);
  const Batch batch = some_batch(2);
  std::vector<float> lower(kRows), targets(kRows), second(kRows);
  critics.lower(shard, batch.now.data(), lower);
  critics.lower_of_targets(shard, batch.now.data(), targets);
  EXPECT_EQ(lower, targets);  // they begin as copies
  const auto first = critics.first(shard, batch.now.data());
  bool below = false;
  for (std::size_t row = 0; row < kRows; ++row) {
    EXPECT_LE(lower[row], first[row]);
    below = below || lower[row] < first[row];
  }
  EXPECT_TRUE(below);
  for (float& parameter : critics.network(0).parameters()) parameter += 0.5F;
  critics.lower_of_targets(shard, batch.now.data(), targets);
  EXPECT_EQ(lower, targets);
  critics.follow(0.5F);
  critics.lower_of_targets(shard, batch.now.data(), targets);
  EXPECT_NE(lower, targets);
}

// loss = -mean Q_1(s, tanh(f(s))) in the actor's parameters: through the critic and the squashing.
TEST(DeterministicPass, gradient_of_its_value_matches_differences) {
  Random random(1);
  TwinCritics critics(kCritic, random);
  TrainedNetwork actor(kActor, random, 0.01F);
  for (float& parameter : actor.network().parameters()) parameter += static_cast<float>(0.3 * random.normal());
  actor.network().prepare_backward();
  TwinCritics::Shard shard(kCritic, kRows, kStates, kActions);
  Batch batch = some_batch(2);
  DeterministicPass pass(kActor, batch);
  const auto loss = [&] {
    pass.act(actor.network(), batch, batch.now.data());
    double sum = 0.0;
    for (const float value : critics.first(shard, batch.now.data())) sum -= static_cast<double>(value) / kRows;
    return sum;
  };
  loss();
  const std::vector<float> weights(kRows, -1.0F / kRows);
  pass.backward(actor.network(), batch, batch.now.data(), critics.action_gradient(shard, weights));
  const nn::AlignedFloats gradient = pass.gradient;
  expect_gradient(actor.network().parameters(), gradient, loss);
}

// A policy that has learned something, with its pass over a batch.
struct Policy {
  Policy() {
    for (float& parameter : net.network().parameters()) parameter += static_cast<float>(0.3 * random.normal());
    net.network().prepare_backward();
  }
  void act() { pass.act(net.network(), batch, batch.now.data()); }
  void backward() { pass.backward(net.network(), batch, batch.now.data(), slope); }

  Random random{1};
  TrainedNetwork net{kActor, random, 0.01F};
  Batch batch = some_batch(2);
  DeterministicPass pass{kActor, batch};
  std::vector<float> slope = std::vector<float>(kRows * kActions);
};

// Behaviour cloning's whole loss, mean (tanh(f(s)) - a)^2.
TEST(ActorLoss, of_cloning_matches_differences) {
  Policy policy;
  const auto loss = [&] {
    policy.act();
    std::ranges::fill(policy.slope, 0.0F);
    return cloning_loss(policy.batch, 1.0F / kRows, policy.slope);
  };
  loss();
  policy.backward();
  const nn::AlignedFloats gradient = policy.pass.gradient;
  expect_gradient(policy.net.network().parameters(), gradient, loss);
}

// TD3+BC's, mean [-lambda Q_1(s, tanh(f(s))) + (tanh(f(s)) - a)^2].
TEST(ActorLoss, of_value_and_cloning_matches_differences) {
  Policy policy;
  TwinCritics critics(kCritic, policy.random);
  TwinCritics::Shard shard(kCritic, kRows, kStates, kActions);
  constexpr float kLambda = 1.7F;
  const std::vector<float> weights(kRows, -kLambda / kRows);
  const auto loss = [&] {
    policy.act();
    double sum = 0.0;
    for (const float value : critics.first(shard, policy.batch.now.data()))
      sum -= static_cast<double>(kLambda / kRows * value);
    std::ranges::copy(critics.action_gradient(shard, weights), policy.slope.begin());
    return sum + cloning_loss(policy.batch, 1.0F / kRows, policy.slope);
  };
  loss();
  policy.backward();
  const nn::AlignedFloats gradient = policy.pass.gradient;
  expect_gradient(policy.net.network().parameters(), gradient, loss);
}

// IQL's, -mean weight log p(a | s), in the network and in the deviations.
TEST(ActorLoss, of_weighted_likelihood_matches_differences) {
  Policy policy;
  const std::vector<float> weights{0.3F / kRows, 2.0F / kRows, 0.0F, 1.0F / kRows, 5.0F / kRows, 0.7F / kRows};
  std::vector<float> log_std{-0.4F, 0.3F}, log_std_slope(kActions);
  const auto loss = [&] {
    policy.act();
    return likelihood_loss(policy.batch, weights, log_std, policy.slope, log_std_slope);
  };
  loss();
  policy.backward();
  const nn::AlignedFloats gradient = policy.pass.gradient;
  const std::vector<float> of_deviation = log_std_slope;
  expect_gradient(policy.net.network().parameters(), gradient, loss);
  for (std::size_t k = 0; k < kActions; ++k) expect_gradient({&log_std[k], 1}, {&of_deviation[k], 1}, loss);
}

// SAC's way through both critics: mean min_c Q_c in the action.
TEST(TwinCritics, slope_of_the_lower_value_matches_differences) {
  Random random(1);
  const TwinCritics critics(kCritic, random);
  TwinCritics::Shard shard(kCritic, kRows, kStates, kActions);
  Batch batch = some_batch(2);
  std::vector<float> lower(kRows);
  const auto loss = [&] {
    critics.lower(shard, batch.now.data(), lower);
    double sum = 0.0;
    for (const float value : lower) sum += static_cast<double>(value / kRows);
    return sum;
  };
  loss();
  const auto slope = critics.lower_action_gradient(shard, 1.0F / kRows);
  const std::vector<float> gradient(slope.begin(), slope.end());
  for (std::size_t row = 0; row < kRows; ++row)
    expect_gradient(std::span(batch.now).subspan(row * batch.stride() + kStates, 1),
                    std::span(gradient).subspan(row * kActions, 1), loss);
}

TEST(TargetSmoothing, moves_actions_within_the_clip_and_the_range) {
  Batch batch = some_batch(2);
  const nn::AlignedFloats before = batch.next;
  Random random(4);
  TargetSmoothing{.deviation = 1.0F, .clip = 0.1F}.apply(random, batch, batch.next);
  EXPECT_NE(before, batch.next);
  for (std::size_t i = 0; i < before.size(); ++i) {
    const bool action = i % batch.stride() >= kStates;
    EXPECT_LE(std::abs(batch.next[i] - before[i]), action ? 0.1F + 1e-6F : 0.0F);
    EXPECT_LE(std::abs(batch.next[i]), 1.0F);
  }
}

}  // namespace
}  // namespace rltune::rl
