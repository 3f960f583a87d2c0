// Adam (Kingma & Ba 2015, arXiv 1412.6980) with decoupled weight decay (Loshchilov & Hutter 2019,
// arXiv 1711.05101), on a flat parameter vector. Memory: the constructor allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "rltune/nn/aligned.hpp"

namespace rltune::nn {

struct AdamOptions {
  float learning_rate = 3e-4F;
  float beta1 = 0.9F;
  float beta2 = 0.999F;
  float epsilon = 1e-8F;
  float weight_decay = 0.0F;
};

class Adam {
 public:
  explicit Adam(std::size_t parameters);

  // parameters -= learning rate * step of (scale * gradient). The scale averages and clips in one go.
  void step(std::span<float> parameters, std::span<const float> gradient, const AdamOptions& options,
            float scale = 1.0F) noexcept;

  // The whole state, for checkpoints.
  std::span<float> first_moment() noexcept { return first_; }
  std::span<float> second_moment() noexcept { return second_; }
  std::uint64_t steps() const noexcept { return steps_; }
  void set_steps(std::uint64_t steps) noexcept { steps_ = steps; }

 private:
  AlignedFloats first_, second_;
  std::uint64_t steps_ = 0;
};

// sum of squares, in an order that does not depend on the instruction set.
float squared_norm(std::span<const float> gradient) noexcept;
// The factor that brings a gradient of this squared norm to at most `norm_max` (0: no limit).
float clip_factor(float squared_norm, float norm_max) noexcept;
// target += source
void add(std::span<const float> source, std::span<float> target) noexcept;
// target += rate (source - target): the slowly following networks of TD learning (Lillicrap et al. 2016).
void follow(std::span<const float> source, std::span<float> target, float rate) noexcept;

}  // namespace rltune::nn
