#include <cmath>

#include "action_head.hpp"
#include "normal.hpp"

namespace rltune::rl {
namespace {

//   log p(a) = sum_k [ -z_k^2 / 2 - log deviation_k - log(2 pi) / 2 ],  z = (a - mean) / deviation
class GaussianHead final : public ActionHead {
 public:
  explicit GaussianHead(const HeadOptions& options)
      : ActionHead(options.actions, static_cast<float>(options.log_std_start)), actions_(options.actions) {}

  std::size_t outputs() const noexcept override { return actions_; }

  double deviation() const noexcept override {
    double sum = 0.0;
    for (const float log_std : parameters_) sum += std::exp(static_cast<double>(log_std));
    return sum / static_cast<double>(actions_);
  }

  void draw(Random& random, std::size_t, std::span<float> noise) override {
    for (float& value : noise) value = static_cast<float>(random.normal());
  }

  void sample(const HeadRows& rows, std::size_t, float* actions, float* log_probability) const override {
    std::fill_n(log_probability, rows.count, 0.0F);
    for (std::size_t k = 0; k < actions_; ++k) {
      const float deviation = std::exp(parameters_[k]);
      for (std::size_t row = 0; row < rows.count; ++row) {
        float& action = actions[row * actions_ + k];
        log_probability[row] += -0.5F * action * action - parameters_[k] - kHalfLogTwoPi;
        action = rows.out[row * actions_ + k] + deviation * action;
      }
    }
  }

  void evaluate(const HeadRows& rows, const float* actions, float* log_probability, float* entropy) const override {
    float spread = 0.0F;
    for (const float log_std : parameters_) spread += log_std + kHalfLogTwoPi;
    for (std::size_t row = 0; row < rows.count; ++row) log_probability[row] = -spread;
    for (std::size_t k = 0; k < actions_; ++k) {
      const float inverse = std::exp(-parameters_[k]);
      for (std::size_t row = 0; row < rows.count; ++row) {
        const float z = (actions[row * actions_ + k] - rows.out[row * actions_ + k]) * inverse;
        log_probability[row] -= 0.5F * z * z;
      }
    }
    std::fill_n(entropy, rows.count, spread + 0.5F * static_cast<float>(actions_));
  }

  void backward(const HeadRows& rows, const float* actions, const float* slope, float entropy_slope,
                float* out_gradient, float* parameter_gradient) const override {
    for (std::size_t k = 0; k < actions_; ++k) {
      const float inverse = std::exp(-parameters_[k]);
      float sum = entropy_slope * static_cast<float>(rows.count);
      for (std::size_t row = 0; row < rows.count; ++row) {
        const float z = (actions[row * actions_ + k] - rows.out[row * actions_ + k]) * inverse;
        out_gradient[row * actions_ + k] = slope[row] * z * inverse;
        sum += slope[row] * (z * z - 1.0F);
      }
      parameter_gradient[k] += sum;
    }
  }

 private:
  std::size_t actions_;
};

}  // namespace

std::unique_ptr<ActionHead> make_gaussian_head(const HeadOptions& options) {
  return std::make_unique<GaussianHead>(options);
}

}  // namespace rltune::rl
