// Half a minibatch through a policy that gives one action, a = tanh(f(s)): what TD3 and the offline algorithms steer
// by.
#pragma once

#include <span>

#include "batch.hpp"
#include "rltune/nn/mlp.hpp"

namespace rltune::rl {

class DeterministicPass {
 public:
  DeterministicPass(const nn::MlpShape& shape, const Batch& batch);

  // Writes tanh(f(s)) into the action columns of `table`: rows x (states + actions).
  void act(const nn::Mlp& net, const Batch& batch, float* table);
  // Given d loss / d action of the actions that act() wrote into `table` last: fills `gradient`.
  void backward(const nn::Mlp& net, const Batch& batch, const float* table, std::span<const float> action_gradient);

  nn::MlpPass pass;
  nn::AlignedFloats head_gradient, gradient;
};

}  // namespace rltune::rl
