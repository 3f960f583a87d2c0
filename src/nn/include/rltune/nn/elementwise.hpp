// Functions of each element of an array, vectorised; for learning, where bits may differ between instruction sets.
#pragma once

#include <span>

namespace rltune::nn {

// x <- e^x, within 2e-7 in proportion; x is clipped to [-87, 88].
void exponentiate(std::span<float> x) noexcept;

}  // namespace rltune::nn
