// The ActivationGate decides whether a candidate's weights may act: finite and of the acting network's shape, a
// bounded change of weights and of actions on the latest live observations, and not worse there by the
// learner's critics. A candidate that fails waits for a better one.
//
// Threads: one. Memory: watch() takes none; examine() allocates: call it between decisions.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/nn/policy_network.hpp"
#include "weights_board.hpp"

namespace rltune::agent {

struct GateLimits {
  double weight_change_max = 0.2;       // relative 2-norm, from the acting weights
  double action_change_max = 0.5;       // of any action in [-1, 1], on any live observation
  std::uint64_t observations_min = 64;  // live ones, before anything may change
};

// ||a - b|| / ||b|| over all weights and biases. REQUIRES: same shapes.
double relative_change(const nn::NetworkDescription& changed, const nn::NetworkDescription& base);

class ActivationGate {
 public:
  static constexpr std::size_t kObservations = 256;

  ActivationGate(std::size_t width, const GateLimits& limits);

  // An observation that was just acted on.
  void watch(std::span<const float> observation) noexcept;

  // The candidate's network, ready to act. Errors: parse, mismatch, and denied with the figure that stands
  // against it.
  Result<nn::NetworkDescription> examine(const Candidate& candidate, const nn::NetworkDescription& acting) const;

 private:
  Result<> compare_actions(const nn::NetworkDescription& candidate, const nn::NetworkDescription& acting) const;

  std::size_t width_;
  GateLimits limits_;
  std::vector<float> ring_;
  std::uint64_t watched_ = 0;
};

}  // namespace rltune::agent
