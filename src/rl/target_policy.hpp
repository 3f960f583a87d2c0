// The slow copy of the policy under which TD3 and TD3+BC value successors, and half a minibatch of their critics' work.
#pragma once

#include "critics.hpp"
#include "deterministic_pass.hpp"
#include "target_smoothing.hpp"

namespace rltune::rl {

// Passes and gradients of half a batch. Each shard has its own, so shards may run at once.
struct TwinDelayedShard {
  TwinDelayedShard(const nn::MlpShape& actor_shape, const nn::MlpShape& critic_shape, const Batch& batch,
                   std::uint64_t seed, std::uint64_t stream)
      : random(seed, stream),
        actor(actor_shape, batch),
        critics(critic_shape, batch.rows, batch.states, batch.actions),
        target(batch.rows),
        value_weight(batch.rows) {}

  Random random;
  DeterministicPass actor;
  TwinCritics::Shard critics;
  nn::AlignedFloats target, value_weight;
};

class TargetPolicy {
 public:
  TargetPolicy(const nn::Mlp& policy, double noise, double noise_clip)
      : policy_(policy), smoothing_{static_cast<float>(noise), static_cast<float>(noise_clip)} {}

  // y = r + discount min_c Q'_c(s', clip(pi'(s') + clip(noise))),  loss = sum_c sum weight (Q_c(s, a) - y)^2 / 2
  void critic_gradients(const TwinCritics& critics, TwinDelayedShard& shard, Batch& batch, float weight) const {
    shard.actor.act(policy_, batch, batch.next.data());
    smoothing_.apply(shard.random, batch, batch.next);
    critics.lower_of_targets(shard.critics, batch.next.data(), shard.target);
    for (std::size_t row = 0; row < batch.rows; ++row)
      shard.target[row] = batch.reward[row] + batch.discount[row] * shard.target[row];
    critics.gradients(shard.critics, batch.now.data(), shard.target, weight);
  }

  void follow(const nn::Mlp& policy, float rate) { nn::follow(policy.parameters(), policy_.parameters(), rate); }
  void replace(const nn::Mlp& policy) { policy_ = policy; }
  void archive(Archive& archive) { archive.values(policy_.parameters()); }

 private:
  nn::Mlp policy_;
  TargetSmoothing smoothing_;
};

}  // namespace rltune::rl
