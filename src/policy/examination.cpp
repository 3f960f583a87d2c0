#include "rltune/policy/examination.hpp"

#include "rltune/policy/policy_controller.hpp"

namespace rltune::policy {

const char* to_string(env::Feature::Source source) noexcept {
  switch (source) {
    case env::Feature::Source::measurement:
      return "measurement";
    case env::Feature::Source::input:
      return "input";
    case env::Feature::Source::exogenous:
      return "exogenous";
    case env::Feature::Source::forecast:
      return "forecast";
    case env::Feature::Source::progress:
      return "progress";
  }
  return "";
}

const char* to_string(env::Actuation::Kind kind) noexcept {
  return kind == env::Actuation::Kind::absolute ? "absolute" : "increment";
}

const char* to_string(nn::Activation activation) noexcept {
  switch (activation) {
    case nn::Activation::identity:
      return "identity";
    case nn::Activation::relu:
      return "relu";
    case nn::Activation::tanh:
      return "tanh";
    case nn::Activation::silu:
      return "silu";
    case nn::Activation::elu:
      return "elu";
  }
  return "";
}

const char* to_string(nn::RecurrentLayer::Kind kind) noexcept {
  return kind == nn::RecurrentLayer::Kind::gru ? "gru" : "lstm";
}

Result<> check_usable(const Artifact& artifact) {
  if (!artifact.manifest.environment.empty())
    return nn::PolicyNetwork::create(artifact.network).transform([](const nn::PolicyNetwork&) {});
  return PolicyController::create(artifact).transform([](const auto&) {});
}

}  // namespace rltune::policy
