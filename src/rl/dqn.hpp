// Deep Q-learning: Mnih et al. 2015, "Human-level control through deep reinforcement learning", doi
// 10.1038/nature14236; double: van Hasselt et al. 2016, arXiv 1509.06461; dueling: Wang et al. 2016, arXiv 1511.06581;
// prioritised: Schaul et al. 2016, arXiv 1511.05952; n-step and the whole together: Hessel et al. 2018, arXiv
// 1710.02298; random actions that last: Dabney et al. 2021, arXiv 2006.01782.
#pragma once

#include "rltune/rl/learner.hpp"

namespace rltune::rl {

struct DqnHyperparameters {
  std::size_t n_envs = 1;
  std::size_t n_timesteps = 200'000;
  std::vector<std::size_t> hidden{128, 128};
  nn::Activation activation = nn::Activation::relu;
  bool double_q = true;
  bool dueling = true;
  double gamma = 0.99;
  std::size_t n_step = 1;
  double tau = 1.0;
  std::size_t target_update_interval = 500;
  std::size_t batch_size = 64;
  std::size_t buffer_size = 100'000;
  std::size_t learning_starts = 1'000;
  std::size_t train_freq = 4;
  std::size_t gradient_steps = 1;
  double learning_rate = 1e-3;
  double learning_rate_end = 1.0;
  double max_grad_norm = 10.0;
  double exploration_initial_eps = 1.0;
  double exploration_final_eps = 0.05;
  double exploration_fraction = 0.2;
  std::size_t exploration_repeat_max = 1;
  double exploration_repeat_exponent = 2.0;
  bool prioritised = false;
  double priority_exponent = 0.6;
  double importance_exponent = 0.4;
  double reward_scale = 1.0;
  std::size_t normaliser_horizon = 100'000;
  double observation_clip = 10.0;

  template <typename Self, typename Visit>
  static void fields(Self& self, Visit visit) {
    visit("n_envs", self.n_envs, "instances that a training run steps side by side");
    visit("n_timesteps", self.n_timesteps, "transitions of a training run");
    visit("hidden", self.hidden, "widths of the hidden layers");
    visit("activation", self.activation, "relu, tanh or silu");
    visit("double_q", self.double_q, "the network chooses the successor's action, the target values it");
    visit("dueling", self.dueling, "value of the state and advantages of the actions apart");
    visit("gamma", self.gamma, "discount of one step");
    visit("n_step", self.n_step, "steps of reward in a target");
    visit("tau", self.tau, "how far the target moves at an update; 1: all the way");
    visit("target_update_interval", self.target_update_interval, "transitions between updates of the target");
    visit("batch_size", self.batch_size, "transitions of one gradient step, even");
    visit("buffer_size", self.buffer_size, "transitions the replay holds");
    visit("learning_starts", self.learning_starts, "transitions before learning");
    visit("train_freq", self.train_freq, "transitions between rounds of learning");
    visit("gradient_steps", self.gradient_steps, "gradient steps of a round");
    visit("learning_rate", self.learning_rate, "Adam's rate");
    visit("learning_rate_end", self.learning_rate_end, "fraction of the rate left at the planned last step");
    visit("max_grad_norm", self.max_grad_norm, "longer gradients are shortened to this; 0: not");
    visit("exploration_initial_eps", self.exploration_initial_eps, "part of random actions at the start");
    visit("exploration_final_eps", self.exploration_final_eps, "part of random actions in the end");
    visit("exploration_fraction", self.exploration_fraction, "part of the training over which it falls");
    visit("exploration_repeat_max", self.exploration_repeat_max,
          "steps that a random action may last; how many is drawn, few more often");
    visit("exploration_repeat_exponent", self.exploration_repeat_exponent,
          "how much more often: n steps with a chance in proportion to n to minus this");
    visit("prioritised", self.prioritised, "replay what surprised rather than anything");
    visit("priority_exponent", self.priority_exponent, "alpha: 0 draws evenly, 1 in proportion to the error");
    visit("importance_exponent", self.importance_exponent, "beta at the start; it rises to 1");
    visit("reward_scale", self.reward_scale, "factor on the reward inside the learner");
    visit("normaliser_horizon", self.normaliser_horizon, "observations after which their statistics freeze");
    visit("observation_clip", self.observation_clip, "normalised observations are clipped to this; 0: not");
  }
};

Result<std::unique_ptr<Learner>> make_dqn(const LearnerOptions& options, const DqnHyperparameters& hyperparameters);

}  // namespace rltune::rl
