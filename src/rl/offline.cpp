#include "offline.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <limits>

#include "policy_layers.hpp"
#include "schedule.hpp"

namespace rltune::rl {
namespace {

nn::MlpShape actor_shape(const LearnerOptions& options, const OfflineHyperparameters& settings) {
  return {options.observation.size(), settings.hidden,
          options.discrete_actions > 0 ? options.discrete_actions : options.actions, settings.activation, false};
}

}  // namespace

Result<> OfflineLearner::check(const OfflineHyperparameters& h) {
  const auto refuse = [](std::string_view what) {
    return fail(Errc::invalid_argument, std::format("hyperparameter {}", what));
  };
  if (h.batch_size < kShards || h.batch_size % kShards != 0) return refuse("batch_size must be even and positive");
  if (h.gamma < 0.0 || h.gamma > 1.0) return refuse("gamma must lie in [0, 1]");
  if (h.n_step == 0 || h.buffer_size == 0) return refuse("n_step and buffer_size must be positive");
  return {};
}

OfflineLearner::OfflineLearner(const LearnerOptions& options, const OfflineHyperparameters& hyperparameters)
    : settings_(hyperparameters),
      states_(options.observation.size()),
      choices_(options.discrete_actions),
      actions_(options.actions),
      instances_(options.instances),
      steps_planned_(options.steps_planned),
      workers_(options.workers ? options.workers : std::make_shared<Workers>(1)),
      random_(options.seed, 0),
      normaliser_(options.observation, std::numeric_limits<std::uint64_t>::max(), settings_.observation_clip),
      replay_(states_, actions_, settings_.buffer_size),
      n_step_(states_, actions_, instances_, settings_.n_step, settings_.gamma),
      actor_(actor_shape(options, settings_), random_, 0.01F),
      acting_(actor_.network().shape(), instances_),
      normalised_(instances_ * states_) {
  for (std::size_t s = 0; s < kShards; ++s) batches_.emplace_back(settings_.batch_size / kShards, states_, actions_);
}

void OfflineLearner::act(const Situations& now, std::span<float> actions) {
  normaliser_.apply(now.observations.data(), instances_, normalised_.data(), states_);
  const auto head = acting_.forward(actor_.network(), normalised_.data());
  if (choices_ == 0) {
    for (std::size_t i = 0; i < actions.size(); ++i) actions[i] = std::tanh(head[i]);
    return explore(actions);
  }
  for (std::size_t i = 0; i < instances_; ++i) {
    const auto preferences = head.subspan(i * choices_, choices_);
    std::size_t best = choices_;
    for (std::size_t a = 0; a < choices_; ++a)
      if ((now.masks.empty() || now.masks[i * choices_ + a] != 0) &&
          (best == choices_ || preferences[a] > preferences[best]))
        best = a;
    actions[i] = static_cast<float>(best);
  }
}

void OfflineLearner::observe(const Transitions& transitions) {
  normaliser_.update(transitions.observations);
  n_step_.observe(transitions, static_cast<float>(settings_.reward_scale), replay_);
}

std::size_t OfflineLearner::update() {
  if (replay_.size() == 0) return 0;
  for (Batch& batch : batches_) batch.draw(random_, replay_);
  gradient_step();
  ++updates_;
  report_update();
  return 1;
}

nn::NetworkDescription OfflineLearner::export_network() const {
  const bool discrete = choices_ > 0;
  nn::NetworkDescription network = describe_policy(actor_.network(), normaliser_, discrete ? choices_ : actions_,
                                                   discrete ? nn::Activation::identity : nn::Activation::tanh);
  network.discrete = discrete;
  return network;
}

Result<> OfflineLearner::import_network(const nn::NetworkDescription& network) {
  const bool discrete = choices_ > 0;
  if (network.discrete != discrete)
    return fail(Errc::mismatch, "the policy's actions are of the other kind: discrete or continuous");
  auto taken = adopt_policy(network, actor_.network(), normaliser_, discrete ? choices_ : actions_,
                            discrete ? nn::Activation::identity : nn::Activation::tanh);
  if (taken) policy_was_replaced();
  return taken;
}

void OfflineLearner::archive(Archive& archive) {
  archive.random(random_);
  normaliser_.archive(archive);
  replay_.archive(archive);
  n_step_.archive(archive);
  actor_.archive(archive);
  archive.value(updates_);
  archive_more(archive);
}

nn::AdamOptions OfflineLearner::adam(double rate) const noexcept {
  return adam_options(rate, settings_.learning_rate_end, progress(updates_, steps_planned_));
}

}  // namespace rltune::rl
