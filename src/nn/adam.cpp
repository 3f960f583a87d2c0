#include "rltune/nn/adam.hpp"

#include <cmath>

#include "instruction_set.hpp"
#include "rltune/base/check.hpp"

namespace rltune::nn {
namespace {

struct Step {
  float scale, beta1, beta2, rate, epsilon, decay;
};

RLTUNE_NN_CLONES void adam_step(float* __restrict parameters, const float* __restrict gradient, float* __restrict first,
                                float* __restrict second, std::size_t count, Step s) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    const float g = gradient[i] * s.scale;
    first[i] = s.beta1 * first[i] + (1.0F - s.beta1) * g;
    second[i] = s.beta2 * second[i] + (1.0F - s.beta2) * g * g;
    parameters[i] -= s.rate * first[i] / (std::sqrt(second[i]) + s.epsilon) + s.decay * parameters[i];
  }
}

RLTUNE_NN_CLONES float sum_of_squares(const float* __restrict x, std::size_t count) noexcept {
  float lanes[16] = {};
  const std::size_t whole = count / 16 * 16;
  for (std::size_t i = 0; i < whole; i += 16)
    for (std::size_t lane = 0; lane < 16; ++lane) lanes[lane] += x[i + lane] * x[i + lane];
  for (std::size_t i = whole; i < count; ++i) lanes[i - whole] += x[i] * x[i];
  float sum = 0.0F;
  for (const float lane : lanes) sum += lane;
  return sum;
}

RLTUNE_NN_CLONES void add_loop(const float* __restrict source, float* __restrict target, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) target[i] += source[i];
}

RLTUNE_NN_CLONES void follow_loop(const float* __restrict source, float* __restrict target, std::size_t count,
                                  float rate) noexcept {
  for (std::size_t i = 0; i < count; ++i) target[i] += rate * (source[i] - target[i]);
}

}  // namespace

Adam::Adam(std::size_t parameters) : first_(parameters), second_(parameters) {}

void Adam::step(std::span<float> parameters, std::span<const float> gradient, const AdamOptions& options,
                float scale) noexcept {
  RLTUNE_CHECK(parameters.size() == first_.size() && gradient.size() == first_.size());
  ++steps_;
  const double t = static_cast<double>(steps_);
  const double correction1 = 1.0 - std::pow(static_cast<double>(options.beta1), t);
  const double correction2 = std::sqrt(1.0 - std::pow(static_cast<double>(options.beta2), t));
  // Both bias corrections folded into the rate and epsilon, as the paper's section 2 suggests.
  const Step step{.scale = scale,
                  .beta1 = options.beta1,
                  .beta2 = options.beta2,
                  .rate = static_cast<float>(static_cast<double>(options.learning_rate) * correction2 / correction1),
                  .epsilon = static_cast<float>(static_cast<double>(options.epsilon) * correction2),
                  .decay = options.learning_rate * options.weight_decay};
  adam_step(parameters.data(), gradient.data(), first_.data(), second_.data(), first_.size(), step);
}

float squared_norm(std::span<const float> gradient) noexcept {
  return sum_of_squares(gradient.data(), gradient.size());
}

float clip_factor(float squared_norm, float norm_max) noexcept {
  const float norm = std::sqrt(squared_norm);
  return norm_max > 0.0F && norm > norm_max ? norm_max / norm : 1.0F;
}

void add(std::span<const float> source, std::span<float> target) noexcept {
  RLTUNE_CHECK(source.size() == target.size());
  add_loop(source.data(), target.data(), target.size());
}

void follow(std::span<const float> source, std::span<float> target, float rate) noexcept {
  RLTUNE_CHECK(source.size() == target.size());
  follow_loop(source.data(), target.data(), target.size(), rate);
}

}  // namespace rltune::nn
