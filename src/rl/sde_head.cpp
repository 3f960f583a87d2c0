#include <cmath>

#include "action_head.hpp"
#include "normal.hpp"
#include "sde_noise.hpp"

namespace rltune::rl {
namespace {

// The features are taken as they are: exploring does not shape them.
class SdeHead final : public ActionHead {
 public:
  explicit SdeHead(const HeadOptions& options)
      : ActionHead(options.features * options.actions, static_cast<float>(options.log_std_start)),
        actions_(options.actions),
        features_(options.features),
        every_(options.sde_sample_freq),
        noise_(options.features, options.actions, options.instances) {
    changed();
  }

  void changed() noexcept override { noise_.prepare(parameters_); }

  std::size_t outputs() const noexcept override { return actions_; }

  double deviation() const noexcept override {
    double sum = 0.0;
    for (const float log_std : parameters_) sum += std::exp(static_cast<double>(log_std));
    return sum / static_cast<double>(parameters_.size());
  }

  void draw(Random& random, std::size_t time, std::span<float>) override {
    if (time % every_ == 0) noise_.draw(random);
  }

  void sample(const HeadRows& rows, std::size_t first, float* actions, float* log_probability) const override {
    for (std::size_t row = 0; row < rows.count; ++row) {
      const float* features = rows.features + row * features_;
      log_probability[row] = 0.0F;
      for (std::size_t k = 0; k < actions_; ++k) {
        const float noise = noise_(first + row, k, features);
        actions[row * actions_ + k] = rows.out[row * actions_ + k] + noise;
        log_probability[row] += log_density(noise, noise_.variance(k, features));
      }
    }
  }

  void evaluate(const HeadRows& rows, const float* actions, float* log_probability, float* entropy) const override {
    for (std::size_t row = 0; row < rows.count; ++row) {
      log_probability[row] = entropy[row] = 0.0F;
      for (std::size_t k = 0; k < actions_; ++k) {
        const float variance = noise_.variance(k, rows.features + row * features_);
        log_probability[row] += log_density(actions[row * actions_ + k] - rows.out[row * actions_ + k], variance);
        entropy[row] += 0.5F + kHalfLogTwoPi + 0.5F * std::log(variance);
      }
    }
  }

  void backward(const HeadRows& rows, const float* actions, const float* slope, float entropy_slope,
                float* out_gradient, float* parameter_gradient) const override {
    for (std::size_t row = 0; row < rows.count; ++row) {
      const float* features = rows.features + row * features_;
      for (std::size_t k = 0; k < actions_; ++k) {
        const float variance = noise_.variance(k, features);
        const float away = actions[row * actions_ + k] - rows.out[row * actions_ + k];
        out_gradient[row * actions_ + k] = slope[row] * away / variance;
        const float deviation_slope = slope[row] * (away * away / variance - 1.0F) + entropy_slope;
        noise_.add_gradient(k, features, variance, deviation_slope, parameter_gradient);
      }
    }
  }

  void archive(Archive& archive) override {
    ActionHead::archive(archive);
    noise_.archive(archive);
    changed();
  }

 private:
  static float log_density(float away, float variance) noexcept {
    return -0.5F * away * away / variance - 0.5F * std::log(variance) - kHalfLogTwoPi;
  }

  std::size_t actions_, features_, every_;
  SdeNoise noise_;
};

}  // namespace

std::unique_ptr<ActionHead> make_sde_head(const HeadOptions& options) { return std::make_unique<SdeHead>(options); }

}  // namespace rltune::rl
