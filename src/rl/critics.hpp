// Two critics of states and actions, each with a target that follows it: the lower of the two is believed, since a
// maximum over errors is too high (Fujimoto et al. 2018, arXiv 1802.09477).
//
// Threads: a shard's functions may run beside those of another shard, step() beside that of the other critic.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "normaliser.hpp"
#include "rltune/base/archive.hpp"
#include "rltune/nn/adam.hpp"
#include "rltune/nn/aligned.hpp"
#include "rltune/nn/mlp.hpp"
#include "trained_network.hpp"

namespace rltune::rl {

class TwinCritics {
 public:
  static constexpr std::size_t kCount = 2;

  // Passes and gradients of half a minibatch.
  struct Shard {
    Shard(const nn::MlpShape& shape, std::size_t row_count, std::size_t states, std::size_t actions);
    std::size_t rows;
    std::vector<nn::MlpPass> pass;
    std::array<nn::AlignedFloats, kCount> gradient, value_gradient, action_gradient;
    std::array<std::span<const float>, kCount> value;  // what each said last
    double loss = 0.0;
  };

  TwinCritics(const nn::MlpShape& shape, Random& random);

  // The lower value of each row of states and actions.
  void lower_of_targets(Shard& shard, const float* state_action, std::span<float> values) const;
  void lower(Shard& shard, const float* state_action, std::span<float> values) const;
  std::span<const float> first(Shard& shard, const float* state_action) const;

  // loss = sum over critics and rows of weight (Q(s, a) - target)^2 / 2, and its gradient in the parameters.
  void gradients(Shard& shard, const float* state_action, std::span<const float> target, float weight) const;
  // Gradient in the action, rows x actions: of sum over rows of weights[row] Q_1(s, a), after first();
  // of sum over rows of weight min_c Q_c(s, a), after lower().
  std::span<const float> action_gradient(Shard& shard, std::span<const float> weights) const;
  std::span<const float> lower_action_gradient(Shard& shard, float weight) const;

  // One step of critic `index` by both shards' gradients.
  void step(std::size_t index, Shard& one, const Shard& other, const nn::AdamOptions& options);
  void follow(float rate);
  void archive(Archive& archive);
  nn::Mlp& network(std::size_t index) noexcept { return critic_[index].network(); }

 private:
  std::array<TrainedNetwork, kCount> critic_;
  std::array<nn::Mlp, kCount> target_;
};

// Values of actions for whoever asks, a row at a time: what Learner::action_values() answers.
class ActionValues {
 public:
  ActionValues(const nn::MlpShape& critic, std::size_t states, std::size_t actions);
  void write(const TwinCritics& critics, const Normaliser& normaliser, std::span<const float> observations,
             std::span<const float> actions, std::span<float> values);

 private:
  std::size_t states_, actions_;
  nn::AlignedFloats state_action_;
  TwinCritics::Shard shard_;
};

}  // namespace rltune::rl
