// Behaviour cloning: the policy that does what the data did (Pomerleau 1989, "ALVINN: An Autonomous Land Vehicle in a
// Neural Network"). What it reaches is the yardstick for everything that claims to learn more from the same data.
#pragma once

#include "offline.hpp"

namespace rltune::rl {

struct BcHyperparameters : OfflineHyperparameters {
  BcHyperparameters() {
    n_timesteps = 20'000;
    learning_rate_end = 0.1;
  }

  double learning_rate = 1e-3;
  double weight_decay = 0.0;

  template <typename Self, typename Visit>
  static void fields(Self& self, Visit visit) {
    OfflineHyperparameters::fields(self, visit);
    visit("learning_rate", self.learning_rate, "Adam's rate");
    visit("weight_decay", self.weight_decay, "decoupled weight decay");
  }
};

Result<std::unique_ptr<Learner>> make_bc(const LearnerOptions& options, const BcHyperparameters& hyperparameters);

}  // namespace rltune::rl
