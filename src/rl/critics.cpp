#include "critics.hpp"

#include <algorithm>

namespace rltune::rl {

TwinCritics::Shard::Shard(const nn::MlpShape& shape, std::size_t row_count, std::size_t states, std::size_t actions)
    : rows(row_count) {
  for (std::size_t c = 0; c < kCount; ++c) {
    pass.emplace_back(shape, rows, nn::MlpPass::Options{.first_column = states, .columns = actions});
    gradient[c].resize(nn::Mlp(shape).parameters().size());
    value_gradient[c].resize(rows);
    action_gradient[c].resize(rows * actions);
  }
}

TwinCritics::TwinCritics(const nn::MlpShape& shape, Random& random)
    : critic_{TrainedNetwork(shape, random, 1.0F), TrainedNetwork(shape, random, 1.0F)},
      target_{critic_[0].network(), critic_[1].network()} {}

void TwinCritics::lower_of_targets(Shard& shard, const float* state_action, std::span<float> values) const {
  for (std::size_t c = 0; c < kCount; ++c) shard.value[c] = shard.pass[c].forward(target_[c], state_action);
  for (std::size_t row = 0; row < shard.rows; ++row) values[row] = std::min(shard.value[0][row], shard.value[1][row]);
}

void TwinCritics::lower(Shard& shard, const float* state_action, std::span<float> values) const {
  for (std::size_t c = 0; c < kCount; ++c) shard.value[c] = shard.pass[c].forward(critic_[c].network(), state_action);
  for (std::size_t row = 0; row < shard.rows; ++row) values[row] = std::min(shard.value[0][row], shard.value[1][row]);
}

std::span<const float> TwinCritics::first(Shard& shard, const float* state_action) const {
  return shard.pass[0].forward(critic_[0].network(), state_action);
}

void TwinCritics::gradients(Shard& shard, const float* state_action, std::span<const float> target,
                            float weight) const {
  shard.loss = 0.0;
  for (std::size_t c = 0; c < kCount; ++c) {
    const auto value = shard.pass[c].forward(critic_[c].network(), state_action);
    for (std::size_t row = 0; row < shard.rows; ++row) {
      const float error = value[row] - target[row];
      shard.value_gradient[c][row] = weight * error;
      shard.loss += 0.5 * static_cast<double>(weight * error * error);
    }
    shard.pass[c].backward(critic_[c].network(), shard.value_gradient[c], shard.gradient[c]);
  }
}

std::span<const float> TwinCritics::action_gradient(Shard& shard, std::span<const float> weights) const {
  shard.pass[0].backward_input(critic_[0].network(), weights, shard.action_gradient[0]);
  return shard.action_gradient[0];
}

std::span<const float> TwinCritics::lower_action_gradient(Shard& shard, float weight) const {
  for (std::size_t row = 0; row < shard.rows; ++row) {
    const bool use_first = shard.value[0][row] < shard.value[1][row];
    shard.value_gradient[0][row] = use_first ? weight : 0.0F;
    shard.value_gradient[1][row] = use_first ? 0.0F : weight;
  }
  for (std::size_t c = 0; c < kCount; ++c)
    shard.pass[c].backward_input(critic_[c].network(), shard.value_gradient[c], shard.action_gradient[c]);
  nn::add(shard.action_gradient[1], shard.action_gradient[0]);
  return shard.action_gradient[0];
}

void TwinCritics::step(std::size_t index, Shard& one, const Shard& other, const nn::AdamOptions& options) {
  critic_[index].step(one.gradient[index], other.gradient[index], options);
}

void TwinCritics::follow(float rate) {
  for (std::size_t c = 0; c < kCount; ++c) nn::follow(critic_[c].network().parameters(), target_[c].parameters(), rate);
}

void TwinCritics::archive(Archive& archive) {
  for (std::size_t c = 0; c < kCount; ++c) {
    critic_[c].archive(archive);
    archive.values(target_[c].parameters());
  }
}

ActionValues::ActionValues(const nn::MlpShape& critic, std::size_t states, std::size_t actions)
    : states_(states), actions_(actions), state_action_(states + actions), shard_(critic, 1, states, actions) {}

void ActionValues::write(const TwinCritics& critics, const Normaliser& normaliser, std::span<const float> observations,
                         std::span<const float> actions, std::span<float> values) {
  for (std::size_t row = 0; row < values.size(); ++row) {
    normaliser.apply(&observations[row * states_], 1, state_action_.data(), states_ + actions_);
    std::copy_n(&actions[row * actions_], actions_, &state_action_[states_]);
    critics.lower(shard_, state_action_.data(), values.subspan(row, 1));
  }
}

}  // namespace rltune::rl
