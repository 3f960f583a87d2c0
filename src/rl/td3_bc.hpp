// TD3+BC: Fujimoto & Gu 2021, "A Minimalist Approach to Offline Reinforcement Learning", arXiv 2106.06860: TD3 whose
// policy is also drawn to the actions of the data, so that it does not trust values where there is none.
#pragma once

#include "offline.hpp"

namespace rltune::rl {

struct Td3BcHyperparameters : OfflineHyperparameters {
  double alpha = 2.5;
  std::size_t policy_delay = 2;
  double target_policy_noise = 0.2;
  double target_noise_clip = 0.5;

  template <typename Self, typename Visit>
  static void fields(Self& self, Visit visit) {
    OfflineHyperparameters::fields(self, visit);
    value_fields(self, visit);
    visit("alpha", self.alpha, "weight of the value against the data's actions; 0: behaviour cloning");
    visit("policy_delay", self.policy_delay, "critic steps for each step of the policy and the targets");
    visit("target_policy_noise", self.target_policy_noise, "deviation of the noise that smooths target actions");
    visit("target_noise_clip", self.target_noise_clip, "where that noise is cut");
  }
};

Result<std::unique_ptr<Learner>> make_td3_bc(const LearnerOptions& options,
                                             const Td3BcHyperparameters& hyperparameters);

}  // namespace rltune::rl
