// What readers share: the bounds of what was read, and actions brought to [-1, 1].
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>

#include "rltune/dataset/dataset.hpp"

namespace rltune::dataset {

inline constexpr std::size_t kNumbersMax = std::size_t{1} << 29;  // 2 GiB of them
inline constexpr std::size_t kColumnsMax = 4096;
inline constexpr std::size_t kChoicesMax = 65'536;

// `value` of [low, high] in [-1, 1]; nothing where it lies outside by more than rounding.
inline std::optional<float> scaled_action(double value, double low, double high) {
  const double scaled = 2.0 * (value - low) / (high - low) - 1.0;
  if (!(std::abs(scaled) <= 1.0 + 1e-4)) return std::nullopt;
  return static_cast<float>(std::clamp(scaled, -1.0, 1.0));
}

}  // namespace rltune::dataset
