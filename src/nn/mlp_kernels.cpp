#include "mlp_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "elementary.hpp"
#include "instruction_set.hpp"

namespace rltune::nn {
namespace {

constexpr std::size_t kLanes = 16;

template <Activation kind>
[[gnu::always_inline]] inline float activate(float x) noexcept {
  if constexpr (kind == Activation::relu) return x > 0.0F ? x : 0.0F;
  if constexpr (kind == Activation::tanh) return vector_tanh(x);
  if constexpr (kind == Activation::silu) return x * vector_sigmoid(x);
  if constexpr (kind == Activation::elu) return x > 0.0F ? x : vector_exp(x) - 1.0F;
  return x;
}

// `count` columns from `first` of every row: rows inside, so that a narrow layer keeps the processor as busy as a wide
// one.
template <Activation kind>
[[gnu::always_inline]] inline void bias_columns(float* __restrict y, const float* __restrict bias, std::size_t rows,
                                                std::size_t width, float* __restrict raw, std::size_t first,
                                                std::size_t count) noexcept {
  for (std::size_t row = 0; row < rows; ++row) {
    float* __restrict out = y + row * width + first;
    for (std::size_t i = 0; i < count; ++i) {
      const float x = out[i] + bias[first + i];
      if constexpr (kind == Activation::silu) raw[row * width + first + i] = x;
      out[i] = activate<kind>(x);
    }
  }
}

template <Activation kind>
[[gnu::always_inline]] inline void bias_rows(float* __restrict y, const float* __restrict bias, std::size_t rows,
                                             std::size_t width, float* __restrict raw) noexcept {
  const std::size_t whole = width / kLanes * kLanes;
  for (std::size_t first = 0; first < whole; first += kLanes)
    bias_columns<kind>(y, bias, rows, width, raw, first, kLanes);
  if (whole < width) bias_columns<kind>(y, bias, rows, width, raw, whole, width - whole);
}

template <Activation kind>
[[gnu::always_inline]] inline void affine_rows(float* __restrict y, const float* __restrict z,
                                               const float* __restrict gain, const float* __restrict shift,
                                               std::size_t rows, std::size_t width, float* __restrict raw) noexcept {
  for (std::size_t row = 0; row < rows; ++row, y += width, z += width) {
    for (std::size_t i = 0; i < width; ++i) {
      const float x = z[i] * gain[i] + shift[i];
      if constexpr (kind == Activation::silu) raw[row * width + i] = x;
      y[i] = activate<kind>(x);
    }
  }
}

// Sixteen lanes into one, by halves.
[[gnu::always_inline]] inline float sum_of_lanes(float* __restrict lanes) noexcept {
  for (std::size_t lane = 0; lane < 8; ++lane) lanes[lane] += lanes[lane + 8];
  for (std::size_t lane = 0; lane < 4; ++lane) lanes[lane] += lanes[lane + 4];
  return (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
}

// Sums in 16 lanes, then the lanes: an order that vectorises without leave to reassociate.
[[gnu::always_inline]] inline float lane_sum(const float* __restrict x, std::size_t count) noexcept {
  float lanes[kLanes] = {};
  const std::size_t whole = count / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += x[i + lane];
  for (std::size_t i = whole; i < count; ++i) lanes[i - whole] += x[i];
  return sum_of_lanes(lanes);
}

[[gnu::always_inline]] inline float lane_dot(const float* __restrict x, const float* __restrict y,
                                             std::size_t count) noexcept {
  float lanes[kLanes] = {};
  const std::size_t whole = count / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += x[i + lane] * y[i + lane];
  for (std::size_t i = whole; i < count; ++i) lanes[i - whole] += x[i] * y[i];
  return sum_of_lanes(lanes);
}

using Lanes [[gnu::vector_size(64)]] = float;

[[gnu::always_inline]] inline void load(const float* from, Lanes& to) noexcept { std::memcpy(&to, from, sizeof to); }

// Lane sums of sixteen rows at once, in the order of sum_of_lanes: each level adds the halves of two rows and keeps
// both results in one register, until lane r holds the sum of row r.
[[gnu::always_inline]] inline void sum_of_each(Lanes (&rows)[kLanes]) noexcept {
  for (std::size_t r = 0; r < 8; ++r) {
    const Lanes &a = rows[r], &b = rows[r + 8];
    rows[r] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
              __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  }
  for (std::size_t r = 0; r < 4; ++r) {
    const Lanes &a = rows[r], &b = rows[r + 4];
    rows[r] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27) +
              __builtin_shufflevector(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
  }
  for (std::size_t r = 0; r < 2; ++r) {
    const Lanes &a = rows[r], &b = rows[r + 2];
    rows[r] = __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
              __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
  }
  const Lanes &a = rows[0], &b = rows[1];
  rows[0] = __builtin_shufflevector(a, b, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30) +
            __builtin_shufflevector(a, b, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
}

// Sixteen rows of sixteen, turned: each round exchanges halves of ever smaller blocks between two rows.
[[gnu::always_inline]] inline void transpose_block(const float* source, std::size_t source_stride, float* target,
                                                   std::size_t target_stride) noexcept {
  Lanes rows[kLanes];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kLanes; ++r) load(source + r * source_stride, rows[r]);
#pragma GCC unroll 8
  for (std::size_t r = 0; r < 8; ++r) {
    const Lanes a = rows[r], b = rows[r + 8];
    rows[r] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    rows[r + 8] = __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 8; ++i) {
    const std::size_t r = i / 4 * 8 + i % 4;
    const Lanes a = rows[r], b = rows[r + 4];
    rows[r] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
    rows[r + 4] = __builtin_shufflevector(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
  }
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 8; ++i) {
    const std::size_t r = i / 2 * 4 + i % 2;
    const Lanes a = rows[r], b = rows[r + 2];
    rows[r] = __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
    rows[r + 2] = __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kLanes; r += 2) {
    const Lanes a = rows[r], b = rows[r + 1];
    rows[r] = __builtin_shufflevector(a, b, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30);
    rows[r + 1] = __builtin_shufflevector(a, b, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kLanes; ++r) std::memcpy(target + r * target_stride, &rows[r], sizeof rows[r]);
}

// Sixteen rows times one column; width is a multiple of 16.
[[gnu::always_inline]] inline void dot_block(const float* x, std::size_t stride, const float* weight, std::size_t width,
                                             float bias, float* y) noexcept {
  Lanes sums[kLanes] = {}, w, row;
  for (std::size_t i = 0; i < width; i += kLanes) {
    load(weight + i, w);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kLanes; ++r) {
      load(x + r * stride + i, row);
      sums[r] += row * w;
    }
  }
  sum_of_each(sums);
  sums[0] += bias;
  std::memcpy(y, &sums[0], sizeof sums[0]);
}

// Sums of sixteen columns, four rows at a time so that additions need not wait for each other.
[[gnu::always_inline]] inline void sum_columns(const float* __restrict delta, std::size_t rows, std::size_t width,
                                               float* __restrict sum) noexcept {
  Lanes sums[4] = {}, row;
  std::size_t at = 0;
  for (; at + 4 <= rows; at += 4) {
    for (std::size_t i = 0; i < 4; ++i) {
      load(delta + (at + i) * width, row);
      sums[i] += row;
    }
  }
  for (; at < rows; ++at) {
    load(delta + at * width, row);
    sums[0] += row;
  }
  const Lanes total = (sums[0] + sums[2]) + (sums[1] + sums[3]);
  std::memcpy(sum, &total, sizeof total);
}

RLTUNE_NN_CLONES void bias_relu(float* y, const float* bias, std::size_t rows, std::size_t width) noexcept {
  bias_rows<Activation::relu>(y, bias, rows, width, nullptr);
}
RLTUNE_NN_CLONES void bias_tanh(float* y, const float* bias, std::size_t rows, std::size_t width) noexcept {
  bias_rows<Activation::tanh>(y, bias, rows, width, nullptr);
}
RLTUNE_NN_CLONES void bias_silu(float* y, const float* bias, std::size_t rows, std::size_t width, float* raw) noexcept {
  bias_rows<Activation::silu>(y, bias, rows, width, raw);
}
RLTUNE_NN_CLONES void bias_elu(float* y, const float* bias, std::size_t rows, std::size_t width) noexcept {
  bias_rows<Activation::elu>(y, bias, rows, width, nullptr);
}
RLTUNE_NN_CLONES void bias_only(float* y, const float* bias, std::size_t rows, std::size_t width) noexcept {
  bias_rows<Activation::identity>(y, bias, rows, width, nullptr);
}

RLTUNE_NN_CLONES void affine(float* y, const float* z, const float* gain, const float* shift, std::size_t rows,
                             std::size_t width, Activation activation, float* raw) noexcept {
  switch (activation) {
    case Activation::relu:
      return affine_rows<Activation::relu>(y, z, gain, shift, rows, width, raw);
    case Activation::tanh:
      return affine_rows<Activation::tanh>(y, z, gain, shift, rows, width, raw);
    case Activation::silu:
      return affine_rows<Activation::silu>(y, z, gain, shift, rows, width, raw);
    case Activation::elu:
      return affine_rows<Activation::elu>(y, z, gain, shift, rows, width, raw);
    case Activation::identity:
      return affine_rows<Activation::identity>(y, z, gain, shift, rows, width, raw);
  }
}

RLTUNE_NN_CLONES void standardise(const float* __restrict y, const float* __restrict bias, std::size_t rows,
                                  std::size_t width, float* __restrict z,
                                  float* __restrict inverse_deviation) noexcept {
  const float count = static_cast<float>(width);
  for (std::size_t row = 0; row < rows; ++row, y += width, z += width) {
    for (std::size_t i = 0; i < width; ++i) z[i] = y[i] + bias[i];
    const float mean = lane_sum(z, width) / count;
    for (std::size_t i = 0; i < width; ++i) z[i] -= mean;
    const float inverse = 1.0F / std::sqrt(lane_dot(z, z, width) / count + kLayerNormEpsilon);
    for (std::size_t i = 0; i < width; ++i) z[i] *= inverse;
    inverse_deviation[row] = inverse;
  }
}

// d loss / d x of y = f(x), given that of y. `raw` is x, where the layer keeps it.
template <Activation kind>
[[gnu::always_inline]] inline float through(float delta, float y, float raw) noexcept {
  if constexpr (kind == Activation::relu) return y > 0.0F ? delta : 0.0F;
  if constexpr (kind == Activation::tanh) return delta * (1.0F - y * y);
  if constexpr (kind == Activation::elu) return y > 0.0F ? delta : delta * (y + 1.0F);
  if constexpr (kind == Activation::silu) {
    const float sigmoid = vector_sigmoid(raw);
    return delta * (sigmoid * (1.0F + raw * (1.0F - sigmoid)));
  }
  return delta;
}

template <Activation kind>
[[gnu::always_inline]] inline void derivative_loop(float* __restrict delta, const float* __restrict y,
                                                   const float* __restrict raw, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i)
    delta[i] = through<kind>(delta[i], y[i], kind == Activation::silu ? raw[i] : 0.0F);
}

template <Activation kind>
[[gnu::always_inline]] inline void outer_loop(const float* __restrict delta, const float* __restrict weight,
                                              const float* __restrict y, const float* __restrict raw, std::size_t rows,
                                              std::size_t width, float* __restrict lower) noexcept {
  for (std::size_t row = 0; row < rows; ++row) {
    const float factor = delta[row];
    const std::size_t at = row * width;
    for (std::size_t i = 0; i < width; ++i)
      lower[at + i] = through<kind>(factor * weight[i], y[at + i], kind == Activation::silu ? raw[at + i] : 0.0F);
  }
}

}  // namespace

void add_bias_and_activate(float* y, const float* bias, std::size_t rows, std::size_t width, Activation activation,
                           float* raw) noexcept {
  switch (activation) {
    case Activation::relu:
      return bias_relu(y, bias, rows, width);
    case Activation::tanh:
      return bias_tanh(y, bias, rows, width);
    case Activation::silu:
      return bias_silu(y, bias, rows, width, raw);
    case Activation::elu:
      return bias_elu(y, bias, rows, width);
    case Activation::identity:
      return bias_only(y, bias, rows, width);
  }
}

void add_bias_normalise_and_activate(float* y, const float* bias, const float* gain, const float* shift,
                                     std::size_t rows, std::size_t width, Activation activation, float* raw, float* z,
                                     float* inverse_deviation) noexcept {
  standardise(y, bias, rows, width, z, inverse_deviation);
  affine(y, z, gain, shift, rows, width, activation, raw);
}

RLTUNE_NN_CLONES void multiply_by_derivative(float* delta, const float* y, const float* raw, std::size_t count,
                                             Activation activation) noexcept {
  switch (activation) {
    case Activation::relu:
      return derivative_loop<Activation::relu>(delta, y, raw, count);
    case Activation::tanh:
      return derivative_loop<Activation::tanh>(delta, y, raw, count);
    case Activation::silu:
      return derivative_loop<Activation::silu>(delta, y, raw, count);
    case Activation::elu:
      return derivative_loop<Activation::elu>(delta, y, raw, count);
    case Activation::identity:
      return;
  }
}

RLTUNE_NN_CLONES void outer_times_derivative(const float* delta, const float* weight, const float* y, const float* raw,
                                             std::size_t rows, std::size_t width, Activation activation,
                                             float* lower) noexcept {
  switch (activation) {
    case Activation::relu:
      return outer_loop<Activation::relu>(delta, weight, y, raw, rows, width, lower);
    case Activation::tanh:
      return outer_loop<Activation::tanh>(delta, weight, y, raw, rows, width, lower);
    case Activation::silu:
      return outer_loop<Activation::silu>(delta, weight, y, raw, rows, width, lower);
    case Activation::elu:
      return outer_loop<Activation::elu>(delta, weight, y, raw, rows, width, lower);
    case Activation::identity:
      return outer_loop<Activation::identity>(delta, weight, y, raw, rows, width, lower);
  }
}

RLTUNE_NN_CLONES void layer_norm_backward(float* __restrict delta, const float* __restrict z,
                                          const float* __restrict inverse_deviation, const float* __restrict gain,
                                          std::size_t rows, std::size_t width, float* __restrict gain_gradient,
                                          float* __restrict shift_gradient) noexcept {
  std::fill_n(gain_gradient, width, 0.0F);
  std::fill_n(shift_gradient, width, 0.0F);
  const float count = static_cast<float>(width);
  for (std::size_t row = 0; row < rows; ++row, delta += width, z += width) {
    for (std::size_t i = 0; i < width; ++i) {
      gain_gradient[i] += delta[i] * z[i];
      shift_gradient[i] += delta[i];
      delta[i] *= gain[i];
    }
    const float mean = lane_sum(delta, width) / count;
    const float along = lane_dot(delta, z, width) / count;
    const float inverse = inverse_deviation[row];
    for (std::size_t i = 0; i < width; ++i) delta[i] = inverse * (delta[i] - mean - z[i] * along);
  }
}

RLTUNE_NN_CLONES void dot_rows(const float* x, std::size_t stride, std::size_t rows, const float* weight,
                               std::size_t width, float bias, float* __restrict y) noexcept {
  std::size_t row = 0;
  if (width % kLanes == 0)
    for (; row + kLanes <= rows; row += kLanes) dot_block(x + row * stride, stride, weight, width, bias, y + row);
  for (; row < rows; ++row) y[row] = lane_dot(x + row * stride, weight, width) + bias;
}

RLTUNE_NN_CLONES void sum_rows(const float* __restrict delta, std::size_t rows, std::size_t width,
                               float* __restrict sum) noexcept {
  if (width == 1) {
    *sum = lane_sum(delta, rows);
    return;
  }
  std::size_t first = 0;
  for (; first + kLanes <= width; first += kLanes) sum_columns(delta + first, rows, width, sum + first);
  std::fill_n(sum + first, width - first, 0.0F);
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t i = first; i < width; ++i) sum[i] += delta[row * width + i];
}

RLTUNE_NN_CLONES void transpose(const float* __restrict source, std::size_t rows, std::size_t columns,
                                float* __restrict target) noexcept {
  const std::size_t whole_rows = rows / kLanes * kLanes, whole_columns = columns / kLanes * kLanes;
  for (std::size_t row = 0; row < whole_rows; row += kLanes)
    for (std::size_t column = 0; column < whole_columns; column += kLanes)
      transpose_block(source + row * columns + column, columns, target + column * rows + row, rows);
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t column = row < whole_rows ? whole_columns : 0; column < columns; ++column)
      target[column * rows + row] = source[row * columns + column];
}

}  // namespace rltune::nn
