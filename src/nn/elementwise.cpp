#include "rltune/nn/elementwise.hpp"

#include "elementary.hpp"
#include "instruction_set.hpp"

namespace rltune::nn {
namespace {

RLTUNE_NN_CLONES void exponentiate_loop(float* x, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) x[i] = vector_exp(x[i]);
}

}  // namespace

void exponentiate(std::span<float> x) noexcept { exponentiate_loop(x.data(), x.size()); }

}  // namespace rltune::nn
