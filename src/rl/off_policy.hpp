// What SAC and TD3 share: a policy of continuous actions and two critics, taught by minibatches of a replay of
// everything seen.
#pragma once

#include "batch.hpp"
#include "critics.hpp"
#include "normaliser.hpp"
#include "replay.hpp"
#include "rltune/rl/learner.hpp"
#include "schedule.hpp"
#include "trained_network.hpp"

namespace rltune::rl {

struct OffPolicyHyperparameters {
  std::size_t n_envs = 16;
  std::size_t n_timesteps = 300'000;
  std::vector<std::size_t> hidden{256, 256};
  nn::Activation activation = nn::Activation::relu;
  bool critic_layer_norm = false;
  double gamma = 0.99;
  std::size_t n_step = 1;
  double tau = 0.005;
  std::size_t batch_size = 256;
  std::size_t buffer_size = 200'000;
  std::size_t learning_starts = 5'000;
  double updates_per_step = 1.0;
  double learning_rate_actor = 1e-3;
  double learning_rate_critic = 1e-3;
  double learning_rate_end = 1.0;
  Decay learning_rate_decay = Decay::linear;
  double reward_scale = 1.0;
  std::size_t normaliser_horizon = 100'000;
  double observation_clip = 10.0;

  template <typename Self, typename Visit>
  static void fields(Self& self, Visit visit) {
    visit("n_envs", self.n_envs, "instances of the plant that a training run steps side by side");
    visit("n_timesteps", self.n_timesteps, "transitions of a training run");
    visit("hidden", self.hidden, "widths of the hidden layers");
    visit("activation", self.activation, "relu, tanh or silu");
    visit("critic_layer_norm", self.critic_layer_norm, "layer norm in the critics");
    visit("gamma", self.gamma, "discount of one step");
    visit("n_step", self.n_step, "steps of reward in a critic's target");
    visit("tau", self.tau, "how fast targets follow");
    visit("batch_size", self.batch_size, "transitions of one gradient step, even");
    visit("buffer_size", self.buffer_size, "transitions the replay holds");
    visit("learning_starts", self.learning_starts, "random steps before learning");
    visit("updates_per_step", self.updates_per_step, "gradient steps for each transition");
    visit("learning_rate_actor", self.learning_rate_actor, "Adam's rate for the policy");
    visit("learning_rate_critic", self.learning_rate_critic, "Adam's rate for the critics");
    visit("learning_rate_end", self.learning_rate_end, "fraction of the rates left at the planned last step");
    visit("learning_rate_decay", self.learning_rate_decay, "how the rates get there: linear or cosine");
    visit("reward_scale", self.reward_scale, "factor on the reward inside the learner");
    visit("normaliser_horizon", self.normaliser_horizon, "observations after which their statistics freeze");
    visit("observation_clip", self.observation_clip, "normalised observations are clipped to this; 0: not");
  }
};

class OffPolicyLearner : public Learner {
 public:
  // Errors: invalid_argument (a hyperparameter; discrete actions).
  static Result<> check(std::string_view algorithm, const LearnerOptions& options, const OffPolicyHyperparameters& h);

  // The policy's network has `outputs`, the first of them its mean action before tanh.
  OffPolicyLearner(const LearnerOptions& options, const OffPolicyHyperparameters& hyperparameters, std::size_t outputs,
                   std::size_t costs = 0);

  void act(const Situations& now, std::span<float> actions) override;
  void observe(const Transitions& transitions) override;
  std::size_t update() override;
  nn::NetworkDescription export_network() const override;
  Result<> import_network(const nn::NetworkDescription& network) override;
  const Metrics& metrics() const override { return metrics_; }
  bool action_values(std::span<const float> observations, std::span<const float> actions,
                     std::span<float> values) override;
  void archive(Archive& archive) override;

 protected:
  // Exploring actions, given the policy's output for each instance.
  virtual void explore(std::span<const float> head, std::span<float> actions) = 0;
  // One step over the rows that stand drawn in batches_.
  virtual void gradient_step() = 0;
  virtual void report_update() = 0;
  virtual void note(const Transitions& /*transitions*/) {}
  virtual void archive_more(Archive& archive) = 0;
  virtual void policy_was_replaced() {}

  float row_weight() const noexcept { return 1.0F / static_cast<float>(settings_.batch_size); }
  nn::AdamOptions adam(double rate) const noexcept;

  const OffPolicyHyperparameters settings_;
  const std::size_t states_, actions_, instances_;
  const std::uint64_t steps_planned_;
  std::shared_ptr<Workers> workers_;
  Random random_;
  Normaliser normaliser_;
  Replay replay_;
  NStep n_step_;
  TrainedNetwork actor_;
  const nn::MlpShape critic_shape_;
  TwinCritics critics_;
  std::vector<Batch> batches_;  // one a shard
  nn::MlpPass acting_;
  std::uint64_t steps_ = 0, updates_ = 0;
  Metrics metrics_;

 private:
  nn::AlignedFloats normalised_;
  ActionValues action_values_;
  double updates_due_ = 0.0;
  bool started_trained_ = false;
};

}  // namespace rltune::rl
