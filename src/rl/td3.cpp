#include "td3.hpp"

#include <algorithm>
#include <cmath>

#include "report.hpp"
#include "target_policy.hpp"

namespace rltune::rl {
namespace {

struct Shard : TwinDelayedShard {
  using TwinDelayedShard::TwinDelayedShard;
  double value = 0.0;
};

class Td3 final : public OffPolicyLearner {
 public:
  Td3(const LearnerOptions& options, const Td3Hyperparameters& hyperparameters)
      : OffPolicyLearner(options, hyperparameters, options.actions),
        h_(hyperparameters),
        noise_({h_.noise, h_.noise_std, h_.noise_theta}, instances_, actions_),
        target_policy_(actor_.network(), h_.target_policy_noise, h_.target_noise_clip) {
    for (std::size_t s = 0; s < kShards; ++s)
      shards_.emplace_back(actor_.network().shape(), critic_shape_, batches_[s], options.seed, 1 + s);
  }

 private:
  void explore(std::span<const float> head, std::span<float> actions) override {
    for (std::size_t i = 0; i < actions.size(); ++i) actions[i] = std::tanh(head[i]);
    noise_.add(random_, actions);
  }

  void note(const Transitions& transitions) override { noise_.observe(transitions.terminated, transitions.truncated); }

  // Algorithm 1 of the paper, one iteration of its gradient steps.
  void gradient_step() override {
    workers_->run([this](std::size_t s) {
      batches_[s].gather(replay_, normaliser_);
      target_policy_.critic_gradients(critics_, shards_[s], batches_[s], row_weight());
    });
    workers_->run([this](std::size_t c) {
      critics_.step(c, shards_[0].critics, shards_[1].critics, adam(h_.learning_rate_critic));
    });
    if ((updates_ + 1) % h_.policy_delay != 0) return;
    workers_->run([this](std::size_t s) { actor_gradients(shards_[s], batches_[s]); });
    workers_->run([this](std::size_t s) {
      if (s == 0) {
        actor_.step(shards_[0].actor.gradient, shards_[1].actor.gradient, adam(h_.learning_rate_actor));
        target_policy_.follow(actor_.network(), static_cast<float>(h_.tau));
      } else {
        critics_.follow(static_cast<float>(h_.tau));
      }
    });
  }

  // loss = -mean Q_1(s, pi(s))
  void actor_gradients(Shard& shard, Batch& batch) const {
    shard.actor.act(actor_.network(), batch, batch.now.data());
    shard.value = 0.0;
    for (const float value : critics_.first(shard.critics, batch.now.data()))
      shard.value += static_cast<double>(row_weight() * value);
    std::ranges::fill(shard.value_weight, -row_weight());
    const auto action_gradient = critics_.action_gradient(shard.critics, shard.value_weight);
    shard.actor.backward(actor_.network(), batch, batch.now.data(), action_gradient);
  }

  void report_update() override {
    const Shard &a = shards_[0], &b = shards_[1];
    report(metrics_, "train/critic_loss", a.critics.loss + b.critics.loss);
    report(metrics_, "train/actor_loss", -(a.value + b.value));
    report(metrics_, "train/value", a.value + b.value);
    report(metrics_, "train/learning_rate", static_cast<double>(adam(h_.learning_rate_actor).learning_rate));
    report(metrics_, "train/n_updates", static_cast<double>(updates_));
  }

  void archive_more(Archive& archive) override {
    for (Shard& shard : shards_) archive.random(shard.random);
    noise_.archive(archive);
    target_policy_.archive(archive);
  }

  void policy_was_replaced() override { target_policy_.replace(actor_.network()); }

  const Td3Hyperparameters h_;
  ExplorationNoise noise_;
  TargetPolicy target_policy_;
  std::vector<Shard> shards_;
};

}  // namespace

Result<std::unique_ptr<Learner>> make_td3(const LearnerOptions& options, const Td3Hyperparameters& h) {
  if (auto checked = OffPolicyLearner::check("td3", options, h); !checked) return std::unexpected(checked.error());
  if (h.policy_delay == 0) return fail(Errc::invalid_argument, "hyperparameter policy_delay must be positive");
  if (h.noise_std < 0.0 || h.target_policy_noise < 0.0 || h.target_noise_clip < 0.0)
    return fail(Errc::invalid_argument,
                "hyperparameter noise_std, target_policy_noise and target_noise_clip must not be negative");
  return std::make_unique<Td3>(options, h);
}

}  // namespace rltune::rl
