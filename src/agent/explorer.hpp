// The Explorer tries other actions than the policy's, where the site allows it: noise on each set-point inside the
// range that it gives. What was added is part of the decision's record, so that it can be computed again.
//
// Threads: one Explorer belongs to one thread. Memory: the constructor allocates, explore() does not.
#pragma once

#include <span>
#include <vector>

#include "rltune/base/random.hpp"
#include "rltune/config/site.hpp"

namespace rltune::agent {

class Explorer {
 public:
  // Standard deviation of the noise, as a part of a set-point's range.
  static constexpr double kDeviation = 0.05;

  // REQUIRES: learning.explore_within has a range for each of the agent's outputs: load_site() refuses others.
  Explorer(const config::Agent& agent, std::uint64_t seed);

  // Adds noise to `values`, the agent's outputs in its own order. A value that lies outside its range stays as it is;
  // the others stay inside. The result is what was added: the sum of both is the new value to the same bits.
  std::span<const double> explore(std::span<double> values) noexcept;

 private:
  Random random_;
  std::vector<config::Range> within_;
  std::vector<double> added_;
};

}  // namespace rltune::agent
