// The element-wise parts of a layer, over rows x width tables without gaps. Compiled per instruction set.
#pragma once

#include <cstddef>

#include "rltune/nn/policy_network.hpp"

namespace rltune::nn {

inline constexpr float kLayerNormEpsilon = 1e-5F;

// y = f(y + bias). `raw` keeps y + bias where the derivative needs it (SiLU); null otherwise.
void add_bias_and_activate(float* y, const float* bias, std::size_t rows, std::size_t width, Activation activation,
                           float* raw) noexcept;

// z = (y + bias - mean) / deviation of each row, y = f(z gain + shift); keeps z and 1 / deviation.
void add_bias_normalise_and_activate(float* y, const float* bias, const float* gain, const float* shift,
                                     std::size_t rows, std::size_t width, Activation activation, float* raw, float* z,
                                     float* inverse_deviation) noexcept;

// delta *= f'(.), from the output y (ReLU, tanh) or the kept input `raw` (SiLU).
void multiply_by_derivative(float* delta, const float* y, const float* raw, std::size_t count,
                            Activation activation) noexcept;

// What a single output's delta (one number a row) gives the layer below, of outputs y, before its activation:
// lower = (delta weight') f'.
void outer_times_derivative(const float* delta, const float* weight, const float* y, const float* raw, std::size_t rows,
                            std::size_t width, Activation activation, float* lower) noexcept;

// Through the normalisation: delta becomes d loss / d (y + bias); writes the gain's and shift's gradients.
void layer_norm_backward(float* delta, const float* z, const float* inverse_deviation, const float* gain,
                         std::size_t rows, std::size_t width, float* gain_gradient, float* shift_gradient) noexcept;

// sum[i] = sum over rows of delta[row][i].
// y[row] = weight . x[row] + bias, with `stride` floats between rows of x.
void dot_rows(const float* x, std::size_t stride, std::size_t rows, const float* weight, std::size_t width, float bias,
              float* y) noexcept;
void sum_rows(const float* delta, std::size_t rows, std::size_t width, float* sum) noexcept;

// target [columns][rows] = source [rows][columns] transposed.
void transpose(const float* source, std::size_t rows, std::size_t columns, float* target) noexcept;

}  // namespace rltune::nn
