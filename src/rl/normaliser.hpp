// Observations brought to mean 0 and deviation 1 by running statistics (Chan et al. 1979), which end up
// inside the exported policy. Before any data the space's bounds are the guess: mean in the middle,
// deviation a quarter of the range. No deviation falls below a hundredth of the range, so a variable that
// never moved in training cannot explode when it does.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rltune/base/archive.hpp"
#include "rltune/env/space.hpp"

namespace rltune::rl {

class Normaliser {
 public:
  // Statistics freeze after `horizon` rows; 0 keeps the guess for good.
  Normaliser(const env::Space& space, std::uint64_t horizon, double clip);

  std::size_t width() const noexcept { return mean_.size(); }
  void update(std::span<const float> rows);
  // out = clip((rows - mean) * scale), with `stride` floats between rows of `out`.
  void apply(const float* rows, std::size_t count, float* out, std::size_t stride) const noexcept;

  std::span<const float> mean() const noexcept { return mean_; }
  std::span<const float> scale() const noexcept { return scale_; }
  float clip() const noexcept { return clip_; }
  // Takes these statistics over and freezes. REQUIRES: sizes match.
  void adopt(std::span<const float> mean, std::span<const float> scale);
  void archive(Archive& archive);

 private:
  void refresh();
  std::uint64_t horizon_;
  float clip_;
  std::uint64_t count_ = 0;
  std::vector<double> sum_mean_, sum_square_, deviation_min_;
  std::vector<float> mean_, scale_;
};

}  // namespace rltune::rl
