#include "on_policy.hpp"

#include "report.hpp"

namespace rltune::rl {

Result<> check_on_policy(const OnPolicyHyperparameters& h) {
  if (h.gamma < 0.0 || h.gamma > 1.0 || h.gae_lambda < 0.0 || h.gae_lambda > 1.0)
    return fail(Errc::invalid_argument, "hyperparameter gamma and gae_lambda must lie in [0, 1]");
  return {};
}

nn::AdamOptions on_policy_adam(const OnPolicyHyperparameters& h, double rate, double done) noexcept {
  nn::AdamOptions options = adam_options(rate, h.learning_rate_end, done, h.learning_rate_decay);
  options.epsilon = 1e-5F;
  return options;
}

void report_to(Metrics& metrics, const OnPolicyReport& outcome, const Rollout& rollout, const ActionHead& head) {
  report(metrics, "train/value", rollout.mean_value());
  report(metrics, "train/explained_variance", rollout.explained_variance());
  report(metrics, "train/policy_gradient_loss", outcome.policy.loss);
  report(metrics, "train/value_loss", outcome.value_loss);
  report(metrics, "train/entropy_loss", -outcome.policy.entropy);
  report(metrics, "train/clip_fraction", outcome.policy.clipped);
  report(metrics, "train/approx_kl", outcome.divergence);
  if (!head.discrete()) report(metrics, "train/std", head.deviation());
  report(metrics, "train/learning_rate", outcome.learning_rate);
  report(metrics, "train/n_updates", static_cast<double>(outcome.updates));
}

}  // namespace rltune::rl
