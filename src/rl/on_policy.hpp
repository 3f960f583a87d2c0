// What PPO with and without a memory share: their hyperparameters, the passes over a rollout, what they report.
#pragma once

#include <numeric>
#include <utility>

#include "action_head.hpp"
#include "clipped_objective.hpp"
#include "rltune/base/random.hpp"
#include "rltune/rl/learner.hpp"
#include "schedule.hpp"

namespace rltune::rl {

struct OnPolicyHyperparameters {
  std::size_t n_envs = 64;
  std::size_t n_timesteps = 2'000'000;
  std::vector<std::size_t> hidden{64, 64};
  nn::Activation activation = nn::Activation::tanh;
  double gamma = 0.99;
  double gae_lambda = 0.95;
  std::size_t n_steps = 128;
  std::size_t batch_size = 1024;
  std::size_t n_epochs = 4;
  double clip_range = 0.2;
  double target_kl = 0.0;
  double ent_coef = 0.0;
  double max_grad_norm = 0.5;
  double learning_rate = 3e-4;
  double learning_rate_critic = 1e-3;
  double learning_rate_end = 0.0;
  Decay learning_rate_decay = Decay::linear;
  double log_std_start = -0.5;
  std::size_t normaliser_horizon = 5'000'000;
  double observation_clip = 10.0;

  template <typename Self, typename Visit>
  static void fields(Self& self, Visit visit) {
    visit("n_envs", self.n_envs, "instances of the plant that a training run steps side by side");
    visit("n_timesteps", self.n_timesteps, "transitions of a training run");
    visit("hidden", self.hidden, "widths of the hidden layers, behind the memory where there is one");
    visit("activation", self.activation, "relu, tanh or silu");
    visit("gamma", self.gamma, "discount of one step");
    visit("gae_lambda", self.gae_lambda, "trace of the advantage estimate");
    visit("n_steps", self.n_steps, "steps of each instance in a rollout: with a memory, how far back gradients run");
    visit("batch_size", self.batch_size,
          "transitions of one gradient step, even: with a memory, an even number of whole sequences");
    visit("n_epochs", self.n_epochs, "passes over a rollout");
    visit("clip_range", self.clip_range, "trust region of the probability ratio");
    visit("target_kl", self.target_kl, "divergence at which a rollout's epochs end; 0: never");
    visit("ent_coef", self.ent_coef, "weight of the entropy");
    visit("max_grad_norm", self.max_grad_norm, "gradients are clipped to this norm; 0: not");
    visit("learning_rate", self.learning_rate, "Adam's rate for the policy");
    visit("learning_rate_critic", self.learning_rate_critic, "Adam's rate for the value");
    visit("learning_rate_end", self.learning_rate_end, "fraction of the rates left at the planned last step");
    visit("learning_rate_decay", self.learning_rate_decay, "how the rates get there: linear or cosine");
    visit("log_std_start", self.log_std_start, "first log deviation of actions");
    visit("normaliser_horizon", self.normaliser_horizon, "observations after which their statistics freeze");
    visit("observation_clip", self.observation_clip, "normalised observations are clipped to this; 0: not");
  }
};

// Errors: invalid_argument (a hyperparameter).
Result<> check_on_policy(const OnPolicyHyperparameters& h);

nn::AdamOptions on_policy_adam(const OnPolicyHyperparameters& h, double rate, double done) noexcept;

struct Improvement {
  std::size_t minibatches = 0;
  double divergence = 0.0;  // mean of the last epoch's
};

// Passes over what `order` numbers, shuffled anew for each, `each` of it a minibatch: minibatch(first) makes a gradient
// step over order[first...] and returns its loss. Ends early where the policy has moved by target_kl.
template <typename Minibatch>
Improvement improve(const OnPolicyHyperparameters& h, Random& random, std::span<std::uint32_t> order, std::size_t each,
                    Minibatch minibatch) {
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  Improvement done;
  for (std::size_t epoch = 0; epoch < h.n_epochs; ++epoch) {
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    done.divergence = 0.0;
    std::size_t batches = 0;
    for (std::size_t first = 0; first + each <= order.size(); first += each, ++batches)
      done.divergence += minibatch(first).divergence;
    done.minibatches += batches;
    done.divergence /= static_cast<double>(std::max<std::size_t>(batches, 1));
    if (h.target_kl > 0.0 && done.divergence > h.target_kl) break;
  }
  return done;
}

struct OnPolicyReport {
  PolicyLoss policy;
  double value_loss = 0.0, divergence = 0.0, learning_rate = 0.0;
  std::uint64_t updates = 0;
};
void report_to(Metrics& metrics, const OnPolicyReport& outcome, const Rollout& rollout, const ActionHead& head);

}  // namespace rltune::rl
