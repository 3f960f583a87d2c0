#include "off_policy.hpp"

#include <format>

#include "policy_layers.hpp"

namespace rltune::rl {

Result<> OffPolicyLearner::check(std::string_view algorithm, const LearnerOptions& options,
                                 const OffPolicyHyperparameters& h) {
  if (options.discrete_actions > 0)
    return fail(Errc::invalid_argument,
                std::format("{} gives continuous actions, and this task's are discrete: take dqn or ppo", algorithm));
  const auto refuse = [](std::string_view what) {
    return fail(Errc::invalid_argument, std::format("hyperparameter {}", what));
  };
  if (h.batch_size < kShards || h.batch_size % kShards != 0) return refuse("batch_size must be even and positive");
  if (h.gamma < 0.0 || h.gamma > 1.0) return refuse("gamma must lie in [0, 1]");
  if (h.n_step == 0 || h.buffer_size == 0) return refuse("n_step and buffer_size must be positive");
  return {};
}

OffPolicyLearner::OffPolicyLearner(const LearnerOptions& options, const OffPolicyHyperparameters& hyperparameters,
                                   std::size_t outputs, std::size_t costs)
    : settings_(hyperparameters),
      states_(options.observation.size()),
      actions_(options.actions),
      instances_(options.instances),
      steps_planned_(options.steps_planned),
      workers_(options.workers ? options.workers : std::make_shared<Workers>(1)),
      random_(options.seed, 0),
      normaliser_(options.observation, settings_.normaliser_horizon, settings_.observation_clip),
      replay_(states_, actions_, settings_.buffer_size, 0, costs),
      n_step_(states_, actions_, instances_, settings_.n_step, settings_.gamma, costs),
      actor_({states_, settings_.hidden, outputs, settings_.activation, false}, random_, 0.01F),
      critic_shape_{states_ + actions_, settings_.hidden, 1, settings_.activation, settings_.critic_layer_norm},
      critics_(critic_shape_, random_),
      acting_(actor_.network().shape(), instances_),
      normalised_(instances_ * states_),
      action_values_(critic_shape_, states_, actions_) {
  for (std::size_t s = 0; s < kShards; ++s) batches_.emplace_back(settings_.batch_size / kShards, states_, actions_);
}

void OffPolicyLearner::act(const Situations& now, std::span<float> actions) {
  if (steps_ < settings_.learning_starts && !started_trained_) {
    for (float& action : actions) action = static_cast<float>(random_.uniform(-1.0, 1.0));
    return;
  }
  normaliser_.apply(now.observations.data(), instances_, normalised_.data(), states_);
  explore(acting_.forward(actor_.network(), normalised_.data()), actions);
}

void OffPolicyLearner::observe(const Transitions& transitions) {
  normaliser_.update(transitions.observations);
  n_step_.observe(transitions, static_cast<float>(settings_.reward_scale), replay_);
  note(transitions);
  steps_ += instances_;
  if (steps_ > settings_.learning_starts) updates_due_ += settings_.updates_per_step * static_cast<double>(instances_);
}

std::size_t OffPolicyLearner::update() {
  std::size_t made = 0;
  for (; updates_due_ >= 1.0 && replay_.size() > 0; updates_due_ -= 1.0, ++made) {
    for (Batch& batch : batches_) batch.draw(random_, replay_);
    gradient_step();
    ++updates_;
  }
  if (made > 0) report_update();
  return made;
}

nn::NetworkDescription OffPolicyLearner::export_network() const {
  return describe_policy(actor_.network(), normaliser_, actions_, nn::Activation::tanh);
}

Result<> OffPolicyLearner::import_network(const nn::NetworkDescription& network) {
  auto taken = adopt_policy(network, actor_.network(), normaliser_, actions_, nn::Activation::tanh);
  if (!taken) return taken;
  policy_was_replaced();
  started_trained_ = true;
  return {};
}

bool OffPolicyLearner::action_values(std::span<const float> observations, std::span<const float> actions,
                                     std::span<float> values) {
  action_values_.write(critics_, normaliser_, observations, actions, values);
  return true;
}

void OffPolicyLearner::archive(Archive& archive) {
  archive.random(random_);
  normaliser_.archive(archive);
  replay_.archive(archive);
  n_step_.archive(archive);
  actor_.archive(archive);
  critics_.archive(archive);
  archive.value(steps_);
  archive.value(updates_);
  archive.value(updates_due_);
  archive.value(started_trained_);
  archive_more(archive);
}

nn::AdamOptions OffPolicyLearner::adam(double rate) const noexcept {
  return adam_options(rate, settings_.learning_rate_end, progress(steps_, steps_planned_),
                      settings_.learning_rate_decay);
}

}  // namespace rltune::rl
