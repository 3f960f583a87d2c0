// Implicit Q-learning: Kostrikov et al. 2021, "Offline Reinforcement Learning with Implicit Q-Learning", arXiv
// 2110.06169. No action that is not in the data is ever valued: V learns a high expectile of Q over the data's actions,
// Q bootstraps from V, and the policy clones the data's actions the more, the better they were than expected.
#pragma once

#include "offline.hpp"

namespace rltune::rl {

struct IqlHyperparameters : OfflineHyperparameters {
  double expectile = 0.7;
  double beta = 3.0;
  double weight_max = 100.0;

  template <typename Self, typename Visit>
  static void fields(Self& self, Visit visit) {
    OfflineHyperparameters::fields(self, visit);
    value_fields(self, visit);
    visit("expectile", self.expectile, "of the values of the data's actions: 0.5 their mean, towards 1 their best");
    visit("beta", self.beta, "how much a better action weighs; 0: behaviour cloning");
    visit("weight_max", self.weight_max, "the most that one action weighs");
  }
};

Result<std::unique_ptr<Learner>> make_iql(const LearnerOptions& options, const IqlHyperparameters& hyperparameters);

}  // namespace rltune::rl
