#include "deterministic_pass.hpp"

#include <cmath>

namespace rltune::rl {

DeterministicPass::DeterministicPass(const nn::MlpShape& shape, const Batch& batch)
    : pass(shape, batch.rows, {.input_stride = batch.stride()}),
      head_gradient(batch.rows * batch.actions),
      gradient(nn::Mlp(shape).parameters().size()) {}

void DeterministicPass::act(const nn::Mlp& net, const Batch& batch, float* table) {
  const auto head = pass.forward(net, table);
  for (std::size_t row = 0; row < batch.rows; ++row)
    for (std::size_t k = 0; k < batch.actions; ++k)
      table[row * batch.stride() + batch.states + k] = std::tanh(head[row * batch.actions + k]);
}

void DeterministicPass::backward(const nn::Mlp& net, const Batch& batch, const float* table,
                                 std::span<const float> action_gradient) {
  for (std::size_t row = 0; row < batch.rows; ++row)
    for (std::size_t k = 0; k < batch.actions; ++k) {
      const float action = table[row * batch.stride() + batch.states + k];
      const std::size_t at = row * batch.actions + k;
      head_gradient[at] = action_gradient[at] * (1.0F - action * action);
    }
  pass.backward(net, head_gradient, gradient);
}

}  // namespace rltune::rl
