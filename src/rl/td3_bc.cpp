#include "td3_bc.hpp"

#include <algorithm>
#include <cmath>

#include "cloning.hpp"
#include "critics.hpp"
#include "offline.hpp"
#include "report.hpp"
#include "target_policy.hpp"

namespace rltune::rl {
namespace {

struct Shard : TwinDelayedShard {
  Shard(const nn::MlpShape& actor_shape, const nn::MlpShape& critic_shape, const Batch& batch, std::uint64_t seed,
        std::uint64_t stream)
      : TwinDelayedShard(actor_shape, critic_shape, batch, seed, stream), action_gradient(batch.rows * batch.actions) {}

  nn::AlignedFloats action_gradient;
  double value = 0.0, size = 0.0, cloning = 0.0;
};

class Td3Bc final : public OfflineLearner {
 public:
  Td3Bc(const LearnerOptions& options, const Td3BcHyperparameters& hyperparameters, const nn::MlpShape& critic)
      : OfflineLearner(options, hyperparameters),
        h_(hyperparameters),
        critics_(critic, random_),
        target_policy_(actor_.network(), h_.target_policy_noise, h_.target_noise_clip),
        action_values_(critic, states_, actions_) {
    for (std::size_t s = 0; s < kShards; ++s)
      shards_.emplace_back(actor_.network().shape(), critic, batches_[s], options.seed, 1 + s);
  }

  bool action_values(std::span<const float> observations, std::span<const float> actions,
                     std::span<float> values) override {
    action_values_.write(critics_, normaliser_, observations, actions, values);
    return true;
  }

 private:
  void gradient_step() override {
    workers_->run([this](std::size_t s) {
      batches_[s].gather(replay_, normaliser_);
      target_policy_.critic_gradients(critics_, shards_[s], batches_[s], row_weight());
    });
    workers_->run([this](std::size_t c) {
      critics_.step(c, shards_[0].critics, shards_[1].critics, adam(h_.learning_rate_critic));
    });
    if ((updates_ + 1) % h_.policy_delay != 0) return;
    workers_->run([this](std::size_t s) { value_policy(shards_[s], batches_[s]); });
    // lambda = alpha / mean |Q|: rewards of any size weigh alike.
    const double size = shards_[0].size + shards_[1].size;
    const auto lambda = static_cast<float>(h_.alpha / std::max(size, 1e-8));
    workers_->run([this, lambda](std::size_t s) { actor_gradients(shards_[s], batches_[s], lambda); });
    workers_->run([this](std::size_t s) {
      if (s == 0) {
        actor_.step(shards_[0].actor.gradient, shards_[1].actor.gradient, adam(h_.learning_rate_actor));
        target_policy_.follow(actor_.network(), static_cast<float>(h_.tau));
      } else {
        critics_.follow(static_cast<float>(h_.tau));
      }
    });
  }

  void value_policy(Shard& shard, Batch& batch) const {
    shard.actor.act(actor_.network(), batch, batch.now.data());
    shard.value = shard.size = 0.0;
    for (const float value : critics_.first(shard.critics, batch.now.data())) {
      shard.value += static_cast<double>(row_weight() * value);
      shard.size += static_cast<double>(row_weight() * std::abs(value));
    }
  }

  // loss = mean [ -lambda Q_1(s, pi(s)) + (pi(s) - a)^2 ],  lambda held still
  void actor_gradients(Shard& shard, Batch& batch, float lambda) const {
    std::ranges::fill(shard.value_weight, -lambda * row_weight());
    std::ranges::copy(critics_.action_gradient(shard.critics, shard.value_weight), shard.action_gradient.begin());
    shard.cloning = cloning_loss(batch, row_weight(), shard.action_gradient);
    shard.actor.backward(actor_.network(), batch, batch.now.data(), shard.action_gradient);
  }

  void report_update() override {
    const Shard &a = shards_[0], &b = shards_[1];
    report(metrics_, "train/critic_loss", a.critics.loss + b.critics.loss);
    report(metrics_, "train/actor_loss",
           a.cloning + b.cloning - h_.alpha * (a.value + b.value) / std::max(a.size + b.size, 1e-8));
    report(metrics_, "train/bc_loss", a.cloning + b.cloning);
    report(metrics_, "train/value", a.value + b.value);
    report(metrics_, "train/learning_rate", static_cast<double>(adam(h_.learning_rate_actor).learning_rate));
    report(metrics_, "train/n_updates", static_cast<double>(updates_));
  }

  void archive_more(Archive& archive) override {
    for (Shard& shard : shards_) archive.random(shard.random);
    critics_.archive(archive);
    target_policy_.archive(archive);
  }

  void policy_was_replaced() override { target_policy_.replace(actor_.network()); }

  const Td3BcHyperparameters h_;
  TwinCritics critics_;
  TargetPolicy target_policy_;
  std::vector<Shard> shards_;
  ActionValues action_values_;
};

}  // namespace

Result<std::unique_ptr<Learner>> make_td3_bc(const LearnerOptions& options, const Td3BcHyperparameters& h) {
  if (options.discrete_actions > 0)
    return fail(Errc::invalid_argument, "td3-bc gives continuous actions, and this task's are discrete: take bc");
  if (h.policy_delay == 0) return fail(Errc::invalid_argument, "hyperparameter policy_delay must be positive");
  if (h.alpha < 0.0) return fail(Errc::invalid_argument, "hyperparameter alpha must not be negative");
  if (auto checked = OfflineLearner::check(h); !checked) return std::unexpected(checked.error());
  const nn::MlpShape critic{options.observation.size() + options.actions, h.hidden, 1, h.activation, false};
  return std::make_unique<Td3Bc>(options, h, critic);
}

}  // namespace rltune::rl
