// CMA-ES, the covariance matrix adaptation evolution strategy with rank-one and rank-mu updates and cumulative step
// size control (Hansen 2016, "The CMA Evolution Strategy: A Tutorial", arXiv 1604.00772; its default constants).
// Searches the unit cube for a maximum: a candidate outside is reflected back in.
//
// Threads: one CmaEs belongs to one thread. Same seed, same candidates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "rltune/base/random.hpp"

namespace rltune::evaluation {

class CmaEs {
 public:
  // `population` 0: 4 + floor(3 ln n). REQUIRES: start in the unit cube, spread > 0.
  CmaEs(std::vector<double> start, double spread, std::uint64_t seed, std::size_t population = 0);

  std::size_t population() const noexcept { return population_; }
  // The next generation, each in the unit cube.
  const std::vector<std::vector<double>>& ask();
  // How good each of them was; larger is better.
  void tell(std::span<const double> values);
  // Where the search is, in the unit cube.
  std::vector<double> mean() const;
  double spread() const noexcept { return sigma_; }

 private:
  void decompose();

  std::size_t n_, population_, parents_;
  std::vector<double> weights_;
  double mu_eff_, c_sigma_, d_sigma_, c_c_, c_one_, c_mu_, expected_norm_;
  double sigma_;
  std::size_t generation_ = 0;
  std::vector<double> mean_, path_sigma_, path_c_, covariance_, axes_, lengths_;  // matrices [row][column]
  std::vector<std::vector<double>> steps_, candidates_;                           // unreflected steps, reflected points
  Random random_;
};

}  // namespace rltune::evaluation
