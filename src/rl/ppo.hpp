// Proximal policy optimisation: Schulman et al. 2017, arXiv 1707.06347, with generalised advantages (Schulman et al.
// 2016, arXiv 1506.02438) values in normalised units (van Hasselt et al. 2016, arXiv 1602.07714), continuous or
// discrete actions (action_head.hpp), and constraints (cost_multipliers.hpp).
#pragma once

#include "on_policy.hpp"

namespace rltune::rl {

struct PpoHyperparameters : OnPolicyHyperparameters {
  bool use_sde = false;
  std::size_t sde_sample_freq = 4;
  bool constrained = false;
  double cost_limit = 0.0;
  double cost_learning_rate = 1e-3;
  double reward_limit = 0.0;

  template <typename Self, typename Visit>
  static void fields(Self& self, Visit visit) {
    OnPolicyHyperparameters::fields(self, visit);
    visit("use_sde", self.use_sde, "state-dependent exploration (gSDE) instead of a draw each step");
    visit("sde_sample_freq", self.sde_sample_freq, "steps that one draw of state-dependent exploration lasts");
    visit("constrained", self.constrained, "bound the environment's costs by Lagrangian multipliers");
    visit("cost_limit", self.cost_limit, "mean cost of a step that is allowed");
    visit("cost_learning_rate", self.cost_learning_rate, "change of a multiplier per step and unit of cost");
    visit("reward_limit", self.reward_limit, "rewards are clipped to +- this while learning; 0: not");
  }
};

Result<std::unique_ptr<Learner>> make_ppo(const LearnerOptions& options, const PpoHyperparameters& hyperparameters);

}  // namespace rltune::rl
