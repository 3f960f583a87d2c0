// Twin delayed deep deterministic policy gradient: Fujimoto et al. 2018, "Addressing Function Approximation Error in
// Actor-Critic Methods", arXiv 1802.09477.
#pragma once

#include "exploration_noise.hpp"
#include "off_policy.hpp"

namespace rltune::rl {

struct Td3Hyperparameters : OffPolicyHyperparameters {
  std::size_t policy_delay = 2;
  double target_policy_noise = 0.2;
  double target_noise_clip = 0.5;
  NoiseKind noise = NoiseKind::gaussian;
  double noise_std = 0.1;
  double noise_theta = 0.15;

  template <typename Self, typename Visit>
  static void fields(Self& self, Visit visit) {
    OffPolicyHyperparameters::fields(self, visit);
    visit("policy_delay", self.policy_delay, "critic steps for each step of the policy and the targets");
    visit("target_policy_noise", self.target_policy_noise, "deviation of the noise that smooths target actions");
    visit("target_noise_clip", self.target_noise_clip, "where that noise is cut");
    visit("noise", self.noise, "exploration: gaussian or ornstein-uhlenbeck");
    visit("noise_std", self.noise_std, "deviation of the exploration noise (sigma of the process)");
    visit("noise_theta", self.noise_theta, "how fast ornstein-uhlenbeck noise returns to 0, per 100 steps");
  }
};

Result<std::unique_ptr<Learner>> make_td3(const LearnerOptions& options, const Td3Hyperparameters& hyperparameters);

}  // namespace rltune::rl
