#include "cma_es.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "rltune/base/check.hpp"

namespace rltune::evaluation {
namespace {

// Folds the line onto [0, 1], so that a step over an edge comes back in.
double reflect(double x) {
  const double folded = std::fmod(std::abs(x), 2.0);
  return folded > 1.0 ? 2.0 - folded : folded;
}

// Eigenvalues and eigenvectors (columns) of a symmetric matrix by cyclic Jacobi rotations (Golub & Van Loan 2013, 8.5).
void jacobi(std::vector<double> a, std::size_t n, std::vector<double>& vectors, std::vector<double>& values) {
  vectors.assign(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) vectors[i * n + i] = 1.0;
  for (int sweep = 0; sweep < 60; ++sweep) {
    double off = 0.0, diagonal = 0.0;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) (i == j ? diagonal : off) += a[i * n + j] * a[i * n + j];
    if (off <= 1e-26 * diagonal) break;
    for (std::size_t p = 0; p < n; ++p)
      for (std::size_t q = p + 1; q < n; ++q) {
        if (a[p * n + q] == 0.0) continue;
        const double theta = (a[q * n + q] - a[p * n + p]) / (2.0 * a[p * n + q]);
        const double t = std::copysign(1.0, theta) / (std::abs(theta) + std::hypot(theta, 1.0));
        const double c = 1.0 / std::hypot(t, 1.0), s = t * c;
        for (std::size_t k = 0; k < n; ++k) {
          const double kp = a[k * n + p], kq = a[k * n + q];
          a[k * n + p] = c * kp - s * kq;
          a[k * n + q] = s * kp + c * kq;
        }
        for (std::size_t k = 0; k < n; ++k) {
          const double pk = a[p * n + k], qk = a[q * n + k];
          a[p * n + k] = c * pk - s * qk;
          a[q * n + k] = s * pk + c * qk;
        }
        for (std::size_t k = 0; k < n; ++k) {
          const double kp = vectors[k * n + p], kq = vectors[k * n + q];
          vectors[k * n + p] = c * kp - s * kq;
          vectors[k * n + q] = s * kp + c * kq;
        }
      }
  }
  values.resize(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = a[i * n + i];
}

}  // namespace

CmaEs::CmaEs(std::vector<double> start, double spread, std::uint64_t seed, std::size_t population)
    : n_(start.size()), population_(population), sigma_(spread), mean_(std::move(start)), random_(seed) {
  RLTUNE_CHECK(n_ > 0 && spread > 0.0);
  const auto n = static_cast<double>(n_);
  if (population_ == 0) population_ = 4 + static_cast<std::size_t>(3.0 * std::log(n));
  population_ = std::max<std::size_t>(population_, 4);
  parents_ = population_ / 2;
  for (std::size_t i = 0; i < parents_; ++i)
    weights_.push_back(std::log((static_cast<double>(population_) + 1.0) / 2.0) -
                       std::log(static_cast<double>(i) + 1.0));
  const double sum = std::accumulate(weights_.begin(), weights_.end(), 0.0);
  double squares = 0.0;
  for (double& weight : weights_) weight /= sum, squares += weight * weight;
  mu_eff_ = 1.0 / squares;
  c_sigma_ = (mu_eff_ + 2.0) / (n + mu_eff_ + 5.0);
  d_sigma_ = 1.0 + 2.0 * std::max(0.0, std::sqrt((mu_eff_ - 1.0) / (n + 1.0)) - 1.0) + c_sigma_;
  c_c_ = (4.0 + mu_eff_ / n) / (n + 4.0 + 2.0 * mu_eff_ / n);
  c_one_ = 2.0 / ((n + 1.3) * (n + 1.3) + mu_eff_);
  c_mu_ = std::min(1.0 - c_one_, 2.0 * (mu_eff_ - 2.0 + 1.0 / mu_eff_) / ((n + 2.0) * (n + 2.0) + mu_eff_));
  expected_norm_ = std::sqrt(n) * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n));
  path_sigma_.assign(n_, 0.0);
  path_c_.assign(n_, 0.0);
  covariance_.assign(n_ * n_, 0.0);
  for (std::size_t i = 0; i < n_; ++i) covariance_[i * n_ + i] = 1.0;
  steps_.assign(population_, std::vector<double>(n_));
  candidates_ = steps_;
  decompose();
}

void CmaEs::decompose() {
  jacobi(covariance_, n_, axes_, lengths_);
  for (double& length : lengths_) length = std::sqrt(std::max(length, 1e-20));
}

const std::vector<std::vector<double>>& CmaEs::ask() {
  std::vector<double> normal(n_);
  for (std::size_t k = 0; k < population_; ++k) {
    for (double& value : normal) value = random_.normal();
    for (std::size_t i = 0; i < n_; ++i) {
      steps_[k][i] = 0.0;
      for (std::size_t j = 0; j < n_; ++j) steps_[k][i] += axes_[i * n_ + j] * lengths_[j] * normal[j];
      candidates_[k][i] = reflect(mean_[i] + sigma_ * steps_[k][i]);
    }
  }
  return candidates_;
}

void CmaEs::tell(std::span<const double> values) {
  RLTUNE_CHECK(values.size() == population_);
  std::vector<std::size_t> order(population_);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });

  std::vector<double> step(n_, 0.0), rotated(n_, 0.0), whitened(n_, 0.0);
  for (std::size_t k = 0; k < parents_; ++k)
    for (std::size_t i = 0; i < n_; ++i) step[i] += weights_[k] * steps_[order[k]][i];
  for (std::size_t i = 0; i < n_; ++i) mean_[i] += sigma_ * step[i];
  for (std::size_t j = 0; j < n_; ++j) {
    for (std::size_t i = 0; i < n_; ++i) rotated[j] += axes_[i * n_ + j] * step[i];
    rotated[j] /= lengths_[j];
  }
  for (std::size_t i = 0; i < n_; ++i)
    for (std::size_t j = 0; j < n_; ++j) whitened[i] += axes_[i * n_ + j] * rotated[j];

  ++generation_;
  double norm = 0.0;
  for (std::size_t i = 0; i < n_; ++i) {
    path_sigma_[i] = (1.0 - c_sigma_) * path_sigma_[i] + std::sqrt(c_sigma_ * (2.0 - c_sigma_) * mu_eff_) * whitened[i];
    norm += path_sigma_[i] * path_sigma_[i];
  }
  norm = std::sqrt(norm);
  const double fading = std::sqrt(1.0 - std::pow(1.0 - c_sigma_, 2.0 * static_cast<double>(generation_)));
  const bool advancing = norm / fading < (1.4 + 2.0 / (static_cast<double>(n_) + 1.0)) * expected_norm_;
  for (std::size_t i = 0; i < n_; ++i)
    path_c_[i] = (1.0 - c_c_) * path_c_[i] + (advancing ? std::sqrt(c_c_ * (2.0 - c_c_) * mu_eff_) * step[i] : 0.0);
  const double lost = advancing ? 0.0 : c_one_ * c_c_ * (2.0 - c_c_);
  for (std::size_t i = 0; i < n_; ++i)
    for (std::size_t j = 0; j < n_; ++j) {
      double rank_mu = 0.0;
      for (std::size_t k = 0; k < parents_; ++k) rank_mu += weights_[k] * steps_[order[k]][i] * steps_[order[k]][j];
      covariance_[i * n_ + j] =
          (1.0 - c_one_ - c_mu_ + lost) * covariance_[i * n_ + j] + c_one_ * path_c_[i] * path_c_[j] + c_mu_ * rank_mu;
    }
  sigma_ = std::min(1.0, sigma_ * std::exp(c_sigma_ / d_sigma_ * (norm / expected_norm_ - 1.0)));
  decompose();
}

std::vector<double> CmaEs::mean() const {
  std::vector<double> result;
  for (double value : mean_) result.push_back(reflect(value));
  return result;
}

}  // namespace rltune::evaluation
