// Proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347) of policies that remember: a gated recurrent
// layer before actor and critic each, for plants that do not show their state (Hausknecht & Stone 2015, arXiv
// 1507.06527). Gradients run back through a whole rollout; a minibatch is whole sequences of some instances.
#pragma once

#include "on_policy.hpp"

namespace rltune::rl {

struct RecurrentPpoHyperparameters : OnPolicyHyperparameters {
  RecurrentPpoHyperparameters() {
    hidden = {64};
    n_steps = 64;
    learning_rate = 5e-4;
  }

  std::size_t recurrent_width = 64;

  template <typename Self, typename Visit>
  static void fields(Self& self, Visit visit) {
    OnPolicyHyperparameters::fields(self, visit);
    visit("recurrent_width", self.recurrent_width, "values that the recurrent layer remembers");
  }
};

Result<std::unique_ptr<Learner>> make_recurrent_ppo(const LearnerOptions& options,
                                                    const RecurrentPpoHyperparameters& hyperparameters);

}  // namespace rltune::rl
