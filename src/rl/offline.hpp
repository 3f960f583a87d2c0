// What the offline algorithms share: they learn from transitions that somebody else made, which observe() takes in
// bulk, and every update() is one gradient step over what is there. The policy is a deterministic network.
#pragma once

#include <array>

#include "batch.hpp"
#include "deterministic_pass.hpp"
#include "normaliser.hpp"
#include "replay.hpp"
#include "rltune/rl/learner.hpp"
#include "trained_network.hpp"

namespace rltune::rl {

struct OfflineHyperparameters {
  std::size_t n_envs = 1;
  std::size_t n_timesteps = 100'000;
  std::vector<std::size_t> hidden{256, 256};
  nn::Activation activation = nn::Activation::relu;
  std::size_t batch_size = 256;
  std::size_t buffer_size = 1'000'000;
  double learning_rate_end = 1.0;
  double observation_clip = 10.0;
  // Of those that learn values.
  double gamma = 0.99;
  std::size_t n_step = 1;
  double tau = 0.005;
  double learning_rate_actor = 3e-4;
  double learning_rate_critic = 3e-4;
  double reward_scale = 1.0;

  template <typename Self, typename Visit>
  static void fields(Self& self, Visit visit) {
    visit("n_envs", self.n_envs, "trajectories that arrive side by side");
    visit("n_timesteps", self.n_timesteps, "gradient steps of a training run");
    visit("hidden", self.hidden, "widths of the hidden layers");
    visit("activation", self.activation, "relu, tanh or silu");
    visit("batch_size", self.batch_size, "transitions of one gradient step, even");
    visit("buffer_size", self.buffer_size, "transitions the data may have");
    visit("learning_rate_end", self.learning_rate_end, "fraction of the rates left at the planned last step");
    visit("observation_clip", self.observation_clip, "normalised observations are clipped to this; 0: not");
  }

  template <typename Self, typename Visit>
  static void value_fields(Self& self, Visit visit) {
    visit("gamma", self.gamma, "discount of one step");
    visit("n_step", self.n_step, "steps of reward in a critic's target");
    visit("tau", self.tau, "how fast targets follow");
    visit("learning_rate_actor", self.learning_rate_actor, "Adam's rate for the policy");
    visit("learning_rate_critic", self.learning_rate_critic, "Adam's rate for whatever learns values");
    visit("reward_scale", self.reward_scale, "factor on the reward inside the learner");
  }
};

class OfflineLearner : public Learner {
 public:
  // Errors: invalid_argument (a hyperparameter).
  static Result<> check(const OfflineHyperparameters& h);

  OfflineLearner(const LearnerOptions& options, const OfflineHyperparameters& hyperparameters);

  void act(const Situations& now, std::span<float> actions) override;
  void observe(const Transitions& transitions) override;
  std::size_t update() override;
  nn::NetworkDescription export_network() const override;
  Result<> import_network(const nn::NetworkDescription& network) override;
  const Metrics& metrics() const override { return metrics_; }
  void archive(Archive& archive) override;

 protected:
  // One step over the rows that stand drawn in batches_.
  virtual void gradient_step() = 0;
  virtual void report_update() = 0;
  virtual void archive_more(Archive& archive) = 0;
  // Noise for acting, where an algorithm's policy has any.
  virtual void explore(std::span<float> /*actions*/) {}
  virtual void policy_was_replaced() {}

  float row_weight() const noexcept { return 1.0F / static_cast<float>(settings_.batch_size); }
  nn::AdamOptions adam(double rate) const noexcept;

  const OfflineHyperparameters settings_;
  const std::size_t states_, choices_, actions_;  // actions_: numbers of an action; choices_ > 0: it is an index
  const std::size_t instances_;
  const std::uint64_t steps_planned_;  // gradient steps
  std::shared_ptr<Workers> workers_;
  Random random_;
  Normaliser normaliser_;
  Replay replay_;
  NStep n_step_;
  TrainedNetwork actor_;
  std::vector<Batch> batches_;  // one a shard
  std::uint64_t updates_ = 0;
  Metrics metrics_;

 private:
  nn::MlpPass acting_;
  nn::AlignedFloats normalised_;
};

}  // namespace rltune::rl
