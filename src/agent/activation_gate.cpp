#include "activation_gate.hpp"

#include <algorithm>
#include <cmath>
#include <format>

namespace rltune::agent {
namespace {

bool same_shape(const nn::NetworkDescription& a, const nn::NetworkDescription& b) {
  if (a.mean.size() != b.mean.size() || a.layers.size() != b.layers.size()) return false;
  for (std::size_t l = 0; l < a.layers.size(); ++l)
    if (a.layers[l].inputs != b.layers[l].inputs || a.layers[l].outputs != b.layers[l].outputs ||
        a.layers[l].activation != b.layers[l].activation)
      return false;
  return true;
}

std::unexpected<Error> denied(std::string why) { return fail(Errc::denied, std::move(why)); }

}  // namespace

double relative_change(const nn::NetworkDescription& changed, const nn::NetworkDescription& base) {
  double difference = 0.0, size = 0.0;
  const auto add = [&](const std::vector<float>& a, const std::vector<float>& b) {
    for (std::size_t i = 0; i < b.size(); ++i) {
      difference += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
      size += std::pow(static_cast<double>(b[i]), 2);
    }
  };
  for (std::size_t l = 0; l < base.layers.size(); ++l) {
    add(changed.layers[l].weight, base.layers[l].weight);
    add(changed.layers[l].bias, base.layers[l].bias);
  }
  return std::sqrt(difference / std::max(size, 1e-30));
}

ActivationGate::ActivationGate(std::size_t width, const GateLimits& limits)
    : width_(width), limits_(limits), ring_(width * kObservations) {}

void ActivationGate::watch(std::span<const float> observation) noexcept {
  if (observation.size() != width_) return;
  std::ranges::copy(observation, ring_.begin() + static_cast<std::ptrdiff_t>(width_ * (watched_ % kObservations)));
  ++watched_;
}

Result<> ActivationGate::compare_actions(const nn::NetworkDescription& candidate,
                                         const nn::NetworkDescription& acting) const {
  auto theirs = nn::PolicyNetwork::create(candidate);
  if (!theirs) return std::unexpected(theirs.error());
  auto ours = nn::PolicyNetwork::create(acting);
  if (!ours) return std::unexpected(ours.error());
  std::vector<float> theirs_acts(theirs->outputs()), ours_acts(ours->outputs());
  double largest = 0.0;
  for (std::size_t row = 0; row < std::min<std::uint64_t>(watched_, kObservations); ++row) {
    const std::span<const float> observation(&ring_[row * width_], width_);
    theirs->act(observation, theirs_acts);
    ours->act(observation, ours_acts);
    for (std::size_t i = 0; i < theirs_acts.size(); ++i) {
      const double difference = std::abs(static_cast<double>(theirs_acts[i]) - static_cast<double>(ours_acts[i]));
      if (!std::isfinite(difference)) return denied("an action on a live observation is not finite");
      largest = std::max(largest, difference);
    }
  }
  if (largest > limits_.action_change_max)
    return denied(std::format("an action on a live observation changes by {:.3f}, more than {:.3f}", largest,
                              limits_.action_change_max));
  return {};
}

Result<nn::NetworkDescription> ActivationGate::examine(const Candidate& candidate,
                                                       const nn::NetworkDescription& acting) const {
  auto network = nn::from_onnx(candidate.onnx);
  if (!network) return network;
  if (!same_shape(*network, acting))
    return fail(Errc::mismatch, "the candidate has another shape than the acting network");
  if (network->mean != acting.mean || network->scale != acting.scale || network->clip != acting.clip)
    return fail(Errc::mismatch, "the candidate normalises observations differently");
  const double change = relative_change(*network, acting);
  if (!std::isfinite(change)) return denied("a weight is not finite");
  if (change > limits_.weight_change_max)
    return denied(
        std::format("the weights change by {:.3f} of their norm, more than {:.3f}", change, limits_.weight_change_max));
  if (watched_ < limits_.observations_min || candidate.shadow.observations < limits_.observations_min)
    return denied(std::format("seen on {} live observations, {} are needed",
                              std::min(watched_, candidate.shadow.observations), limits_.observations_min));
  const ShadowReport& shadow = candidate.shadow;
  // Written so that a figure that is not a number fails.
  if (!(shadow.gain_low >= -shadow.margin) || !std::isfinite(shadow.margin) || shadow.margin < 0.0)
    return denied(std::format("in shadow its value is {:.4g} lower (bound {:.4g}, margin {:.4g})", -shadow.gain,
                              shadow.gain_low, shadow.margin));
  if (auto compared = compare_actions(*network, acting); !compared) return std::unexpected(compared.error());
  return network;
}

}  // namespace rltune::agent
