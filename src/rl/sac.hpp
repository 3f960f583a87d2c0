// Soft actor-critic with a learned temperature: Haarnoja et al. 2018, "Soft Actor-Critic Algorithms and
// Applications", arXiv 1812.05905; twin critics after Fujimoto et al. 2018, arXiv 1802.09477.
#pragma once

#include "off_policy.hpp"

namespace rltune::rl {

struct SacHyperparameters : OffPolicyHyperparameters {
  SacHyperparameters() {
    n_envs = 32;
    learning_rate_actor = learning_rate_critic = 3e-4;
  }

  double learning_rate_temperature = 3e-4;
  double temperature_start = 1.0;
  double target_entropy_per_action = -1.0;
  double weight_decay_critic = 0.0;
  std::size_t actor_starts = 0;
  bool normalise_reward = false;
  bool use_sde = false;
  std::size_t sde_sample_freq = 64;
  bool constrained = false;
  double cost_limit = 0.0;
  double cost_learning_rate = 1e-3;

  template <typename Self, typename Visit>
  static void fields(Self& self, Visit visit) {
    OffPolicyHyperparameters::fields(self, visit);
    visit("learning_rate_temperature", self.learning_rate_temperature, "Adam's rate for the temperature");
    visit("temperature_start", self.temperature_start, "the entropy's first weight");
    visit("target_entropy_per_action", self.target_entropy_per_action, "entropy the temperature steers to, nat");
    visit("weight_decay_critic", self.weight_decay_critic, "decoupled weight decay of the critics");
    visit("normalise_reward", self.normalise_reward, "divide rewards by the running size of returns");
    visit("use_sde", self.use_sde,
          "explore by noise that is a function of the state, as gSDE (arXiv 2005.05719) does; the deviation stays the "
          "network's");
    visit("sde_sample_freq", self.sde_sample_freq, "steps that one draw of state-dependent noise lasts");
    visit("constrained", self.constrained, "bound the environment's costs by Lagrangian multipliers");
    visit("cost_limit", self.cost_limit, "mean cost of a step that is allowed");
    visit("cost_learning_rate", self.cost_learning_rate, "change of a multiplier per step and unit of cost");
    visit("actor_starts", self.actor_starts, "gradient steps that train the critics alone: behind a trained policy");
  }
};

Result<std::unique_ptr<Learner>> make_sac(const LearnerOptions& options, const SacHyperparameters& hyperparameters);

}  // namespace rltune::rl
