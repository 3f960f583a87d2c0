#include "state_estimator.hpp"

#include <algorithm>
#include <cmath>

#include "rltune/base/check.hpp"

namespace rltune::controllers {
namespace {

constexpr int kIterations = 6;
constexpr double kPerturbation = 1e-6;  // of a state's range
constexpr double kDamping = 1e-10;
constexpr double kConverged = 1e-12;  // of a measurement's range

std::vector<double> ranges(const env::Space& space) {
  std::vector<double> result;
  for (const env::Variable& variable : space) result.push_back(std::max(variable.high - variable.low, 1e-12));
  return result;
}

}  // namespace

StateEstimator::StateEstimator(std::unique_ptr<env::PlantModel> model)
    : model_(std::move(model)),
      states_count_(model_->spec().states.size()),
      measurements_count_(model_->spec().measurements.size()),
      batch_(states_count_ + 1),
      estimate_(states_count_),
      state_scale_(ranges(model_->spec().states)),
      measurement_scale_(ranges(model_->spec().measurements)),
      inputs_(model_->spec().inputs.size() * batch_),
      exogenous_(model_->spec().exogenous.size() * batch_),
      measured_(measurements_count_ * batch_),
      jacobian_(measurements_count_ * states_count_),
      normal_(states_count_ * states_count_),
      right_(states_count_),
      residual_(measurements_count_) {
  RLTUNE_CHECK(model_->size() == batch_);
  for (std::size_t s = 0; s < states_count_; ++s) start_.push_back(model_->states()[s * batch_]);
}

void StateEstimator::reset(std::span<const double> measurements) noexcept {
  std::ranges::copy(start_, estimate_.begin());
  correct(measurements);
}

void StateEstimator::update(std::span<const double> inputs, std::span<const double> exogenous,
                            std::span<const double> measurements) noexcept {
  const auto spread = [this](std::span<const double> from, std::vector<double>& to) {
    for (std::size_t i = 0; i < from.size(); ++i)
      std::fill_n(to.begin() + static_cast<std::ptrdiff_t>(i * batch_), batch_, from[i]);
  };
  spread(inputs, inputs_);
  spread(exogenous, exogenous_);
  std::span<double> states = model_->states();
  for (std::size_t s = 0; s < states_count_; ++s)
    std::fill_n(states.begin() + static_cast<std::ptrdiff_t>(s * batch_), batch_, estimate_[s]);
  model_->step(inputs_, exogenous_);
  for (std::size_t s = 0; s < states_count_; ++s) estimate_[s] = states[s * batch_];
  correct(measurements);
}

void StateEstimator::linearise() noexcept {
  std::span<double> states = model_->states();
  for (std::size_t s = 0; s < states_count_; ++s)
    for (std::size_t i = 0; i < batch_; ++i)
      states[s * batch_ + i] = estimate_[s] + (i == s + 1 ? kPerturbation * state_scale_[s] : 0.0);
  model_->measure(measured_);
  for (std::size_t m = 0; m < measurements_count_; ++m)
    for (std::size_t s = 0; s < states_count_; ++s)
      jacobian_[m * states_count_ + s] =
          (measured_[m * batch_ + s + 1] - measured_[m * batch_]) / (kPerturbation * measurement_scale_[m]);
}

void StateEstimator::correct(std::span<const double> measurements) noexcept {
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    linearise();
    double largest = 0.0;
    for (std::size_t m = 0; m < measurements_count_; ++m) {
      residual_[m] = (measurements[m] - measured_[m * batch_]) / measurement_scale_[m];
      largest = std::max(largest, std::abs(residual_[m]));
    }
    if (!(largest > kConverged) || !std::isfinite(largest) || !solve()) return;
    for (std::size_t s = 0; s < states_count_; ++s) estimate_[s] += right_[s] * state_scale_[s];
  }
}

// (J'J + damping) x = J' r by Cholesky; the answer replaces right_. False when the matrix is not positive definite.
bool StateEstimator::solve() noexcept {
  const std::size_t n = states_count_;
  for (std::size_t i = 0; i < n; ++i) {
    right_[i] = 0.0;
    for (std::size_t m = 0; m < measurements_count_; ++m) right_[i] += jacobian_[m * n + i] * residual_[m];
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = i == j ? kDamping : 0.0;
      for (std::size_t m = 0; m < measurements_count_; ++m) sum += jacobian_[m * n + i] * jacobian_[m * n + j];
      normal_[i * n + j] = sum;
    }
  }
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = normal_[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= normal_[i * n + k] * normal_[j * n + k];
      if (i == j && !(sum > 0.0)) return false;
      normal_[i * n + j] = i == j ? std::sqrt(sum) : sum / normal_[j * n + j];
    }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) right_[i] -= normal_[i * n + k] * right_[k];
    right_[i] /= normal_[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) right_[i] -= normal_[k * n + i] * right_[k];
    right_[i] /= normal_[i * n + i];
  }
  return true;
}

}  // namespace rltune::controllers
