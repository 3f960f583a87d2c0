#include "rltune/nn/gaussian.hpp"

#include "elementary.hpp"
#include "instruction_set.hpp"
#include "rltune/base/check.hpp"

namespace rltune::nn {
namespace {

constexpr float kHalfLogTwoPi = 0.918938533F;
constexpr float kLogTwo = 0.693147181F;

struct Table {
  std::size_t rows, actions, stride;
  float centre, half;  // of the log deviation's range
};

// One row at a time would leave vectors mostly empty: actions are few. So each loop runs over one action of all rows.
RLTUNE_NN_CLONES void sample_loop(const float* __restrict head, const float* __restrict noise, float* __restrict action,
                                  float* __restrict log_probability, Table t) noexcept {
  for (std::size_t row = 0; row < t.rows; ++row) log_probability[row] = 0.0F;
  for (std::size_t i = 0; i < t.actions; ++i) {
    for (std::size_t row = 0; row < t.rows; ++row) {
      const float mean = head[row * 2 * t.actions + i];
      const float log_deviation = t.centre + t.half * vector_tanh(head[row * 2 * t.actions + t.actions + i]);
      const float e = noise[row * t.actions + i];
      const float u = mean + vector_exp(log_deviation) * e;
      action[row * t.stride + i] = vector_tanh(u);
      // log(1 - tanh(u)^2) = 2 (log 2 - u - softplus(-2u)), exact where 1 - a^2 would round to 0.
      const float log_slope = 2.0F * (kLogTwo - u - vector_softplus(-2.0F * u));
      log_probability[row] += -0.5F * e * e - log_deviation - kHalfLogTwoPi - log_slope;
    }
  }
}

RLTUNE_NN_CLONES void backward_loop(const float* __restrict head, const float* __restrict noise,
                                    const float* __restrict action, const float* __restrict action_gradient,
                                    float entropy_weight, float* __restrict gradient, Table t) noexcept {
  for (std::size_t i = 0; i < t.actions; ++i) {
    for (std::size_t row = 0; row < t.rows; ++row) {
      const float squashed = vector_tanh(head[row * 2 * t.actions + t.actions + i]);
      const float deviation = vector_exp(t.centre + t.half * squashed);
      const float a = action[row * t.stride + i];
      const float e = noise[row * t.actions + i];
      // d log p / d u = 2 tanh(u): the slope's term; the Gaussian's own term does not depend on u at fixed noise.
      const float du = action_gradient[row * t.actions + i] * (1.0F - a * a) + entropy_weight * 2.0F * a;
      const float dlog = du * deviation * e - entropy_weight;
      gradient[row * 2 * t.actions + i] = du;
      gradient[row * 2 * t.actions + t.actions + i] = dlog * t.half * (1.0F - squashed * squashed);
    }
  }
}

Table table(const SquashedGaussian& g, std::size_t rows, std::size_t stride) noexcept {
  return {rows, g.actions, stride, 0.5F * (g.log_deviation_low + g.log_deviation_high),
          0.5F * (g.log_deviation_high - g.log_deviation_low)};
}

}  // namespace

void SquashedGaussian::sample(std::span<const float> head, std::span<const float> noise, float* action,
                              std::size_t action_stride, std::span<float> log_probability) const noexcept {
  const std::size_t rows = log_probability.size();
  RLTUNE_CHECK(head.size() == rows * 2 * actions && noise.size() == rows * actions);
  sample_loop(head.data(), noise.data(), action, log_probability.data(), table(*this, rows, action_stride));
}

void SquashedGaussian::backward(std::span<const float> head, std::span<const float> noise, const float* action,
                                std::size_t action_stride, std::span<const float> action_gradient, float entropy_weight,
                                std::span<float> head_gradient) const noexcept {
  const std::size_t rows = action_gradient.size() / actions;
  RLTUNE_CHECK(head.size() == rows * 2 * actions && head_gradient.size() == head.size());
  backward_loop(head.data(), noise.data(), action, action_gradient.data(), entropy_weight, head_gradient.data(),
                table(*this, rows, action_stride));
}

}  // namespace rltune::nn
