#include "normaliser.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "rltune/base/check.hpp"

namespace rltune::rl {

Normaliser::Normaliser(const env::Space& space, std::uint64_t horizon, double clip)
    : horizon_(horizon), clip_(static_cast<float>(clip)), sum_mean_(space.size()), sum_square_(space.size()) {
  for (const env::Variable& variable : space) {
    const double range = std::max(variable.high - variable.low, 1e-6);
    deviation_min_.push_back(0.01 * range);
    mean_.push_back(static_cast<float>(variable.low + 0.5 * range));
    scale_.push_back(static_cast<float>(4.0 / range));
  }
}

void Normaliser::update(std::span<const float> rows) {
  const std::size_t width = mean_.size();
  if (count_ >= horizon_ || rows.empty()) return;
  const std::size_t count = rows.size() / width;
  for (std::size_t i = 0; i < width; ++i) {
    double mean = 0.0, square = 0.0;
    for (std::size_t row = 0; row < count; ++row) mean += static_cast<double>(rows[row * width + i]);
    mean /= static_cast<double>(count);
    for (std::size_t row = 0; row < count; ++row) {
      const double difference = static_cast<double>(rows[row * width + i]) - mean;
      square += difference * difference;
    }
    const double before = static_cast<double>(count_), more = static_cast<double>(count);
    const double delta = mean - sum_mean_[i];
    sum_mean_[i] += delta * more / (before + more);
    sum_square_[i] += square + delta * delta * before * more / (before + more);
  }
  count_ += count;
  refresh();
}

void Normaliser::refresh() {
  if (count_ < 2) return;
  for (std::size_t i = 0; i < mean_.size(); ++i) {
    const double deviation = std::sqrt(sum_square_[i] / static_cast<double>(count_));
    mean_[i] = static_cast<float>(sum_mean_[i]);
    scale_[i] = static_cast<float>(1.0 / std::max(deviation, deviation_min_[i]));
  }
}

// Rows inside: a row is a few variables wide.
void Normaliser::apply(const float* __restrict rows, std::size_t count, float* __restrict out,
                       std::size_t stride) const noexcept {
  const std::size_t width = mean_.size();
  const float limit = clip_ > 0.0F ? clip_ : std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < width; ++i) {
    const float mean = mean_[i], scale = scale_[i];
    for (std::size_t row = 0; row < count; ++row)
      out[row * stride + i] = std::clamp((rows[row * width + i] - mean) * scale, -limit, limit);
  }
}

void Normaliser::adopt(std::span<const float> mean, std::span<const float> scale) {
  RLTUNE_CHECK(mean.size() == mean_.size() && scale.size() == scale_.size());
  std::ranges::copy(mean, mean_.begin());
  std::ranges::copy(scale, scale_.begin());
  count_ = horizon_;
}

void Normaliser::archive(Archive& archive) {
  archive.value(count_);
  archive.values(std::span(sum_mean_));
  archive.values(std::span(sum_square_));
  archive.values(std::span(mean_));
  archive.values(std::span(scale_));
}

}  // namespace rltune::rl
