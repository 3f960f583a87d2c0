#include "dqn.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <optional>

#include "batch.hpp"
#include "huber.hpp"
#include "normaliser.hpp"
#include "policy_layers.hpp"
#include "prioritised.hpp"
#include "q_network.hpp"
#include "replay.hpp"
#include "report.hpp"
#include "rltune/base/check.hpp"
#include "schedule.hpp"

namespace rltune::rl {
namespace {

using nn::AlignedFloats;

// Half a batch: its rows, passes and gradients.
struct Shard {
  Shard(const QNetwork::Shape& shape, std::size_t rows, std::size_t parameters)
      : batch(rows, shape.states, 1),
        pass(shape, rows, batch.stride()),
        target_pass(shape, rows, batch.stride()),
        target(rows),
        error(rows),
        value_gradient(rows * shape.choices),
        gradient(parameters) {}

  Batch batch;
  QNetwork::Pass pass, target_pass;
  AlignedFloats target, error, value_gradient, gradient;
  double loss = 0.0, value = 0.0;
};

// The best of the choices that `allowed(choice)` lets through.
template <typename Allowed>
std::size_t best_of(std::span<const float> values, Allowed allowed) {
  std::size_t best = values.size();
  for (std::size_t a = 0; a < values.size(); ++a)
    if (allowed(a) && (best == values.size() || values[a] > values[best])) best = a;
  RLTUNE_CHECK(best < values.size());
  return best;
}

class Dqn final : public Learner {
 public:
  Dqn(const LearnerOptions& options, const DqnHyperparameters& hyperparameters, const QNetwork::Shape& shape)
      : h_(hyperparameters),
        states_(shape.states),
        choices_(shape.choices),
        instances_(options.instances),
        steps_planned_(options.steps_planned),
        workers_(options.workers ? options.workers : std::make_shared<Workers>(1)),
        random_(options.seed, 0),
        normaliser_(options.observation, h_.normaliser_horizon, h_.observation_clip),
        replay_(states_, 1, h_.buffer_size, choices_),
        n_step_(states_, 1, instances_, h_.n_step, h_.gamma),
        network_(shape, random_),
        target_(network_),
        adam_(network_.mlp().parameters().size()),
        repeated_(instances_),
        acting_(shape, instances_, states_),
        normalised_(instances_ * states_),
        valuing_(shape, 1, states_),
        items_(h_.batch_size),
        weights_(h_.batch_size, 1.0F) {
    if (h_.exploration_repeat_max > 1)
      for (std::size_t n = 1; n <= h_.exploration_repeat_max; ++n)
        durations_.push_back((n > 1 ? durations_.back() : 0.0) +
                             std::pow(static_cast<double>(n), -h_.exploration_repeat_exponent));
    if (h_.prioritised) priorities_.emplace(h_.buffer_size, h_.priority_exponent);
    for (std::size_t s = 0; s < kShards; ++s)
      shards_.emplace_back(shape, h_.batch_size / kShards, network_.mlp().parameters().size());
  }

  void act(const Situations& now, std::span<float> actions) override {
    normaliser_.apply(now.observations.data(), instances_, normalised_.data(), states_);
    const auto values = network_.forward(acting_, normalised_.data());
    const double explored = exploration_rate();
    for (std::size_t i = 0; i < instances_; ++i) {
      const auto allowed = [&](std::size_t a) { return now.masks.empty() || now.masks[i * choices_ + a] != 0; };
      actions[i] = static_cast<float>(explores(repeated_[i], explored, allowed)
                                          ? repeated_[i].action
                                          : best_of(values.subspan(i * choices_, choices_), allowed));
    }
  }

  void observe(const Transitions& transitions) override {
    for (const float action : transitions.actions)
      RLTUNE_CHECK(action >= 0.0F && action < static_cast<float>(choices_));
    normaliser_.update(transitions.observations);
    const std::size_t first = replay_.next();
    n_step_.observe(transitions, static_cast<float>(h_.reward_scale), replay_);
    if (priorities_)
      for (std::size_t i = first; i != replay_.next(); i = (i + 1) % replay_.capacity()) priorities_->add(i);
    for (std::size_t i = 0; i < instances_; ++i)
      if ((transitions.terminated[i] | transitions.truncated[i]) != 0) repeated_[i].left = 0;
    const std::uint64_t before = steps_;
    steps_ += instances_;
    targets_due_ += steps_ / h_.target_update_interval - before / h_.target_update_interval;
    if (steps_ > h_.learning_starts)
      updates_due_ += (steps_ / h_.train_freq - before / h_.train_freq) * h_.gradient_steps;
  }

  std::size_t update() override {
    if (std::exchange(targets_due_, 0) > 0)
      nn::follow(network_.mlp().parameters(), target_.mlp().parameters(), static_cast<float>(h_.tau));
    std::size_t made = 0;
    for (; updates_due_ > 0 && replay_.size() > 0; --updates_due_, ++made) gradient_step();
    if (made > 0) report_update();
    return made;
  }

  nn::NetworkDescription export_network() const override { return network_.describe(normaliser_); }

  Result<> import_network(const nn::NetworkDescription& network) override {
    if (auto taken = network_.adopt(network, normaliser_); !taken) return taken;
    target_ = network_;
    started_trained_ = true;
    return {};
  }

  const Metrics& metrics() const override { return metrics_; }

  bool action_values(std::span<const float> observations, std::span<const float> actions,
                     std::span<float> values) override {
    for (std::size_t row = 0; row < values.size(); ++row) {
      normaliser_.apply(&observations[row * states_], 1, normalised_.data(), states_);
      values[row] = network_.forward(valuing_, normalised_.data())[static_cast<std::size_t>(actions[row])];
    }
    return true;
  }

  void archive(Archive& archive) override {
    archive.random(random_);
    normaliser_.archive(archive);
    replay_.archive(archive);
    n_step_.archive(archive);
    if (priorities_) priorities_->archive(archive);
    archive_network(archive, network_.mlp(), adam_);
    archive.values(target_.mlp().parameters());
    archive.values(std::span(repeated_));
    archive.value(steps_);
    archive.value(updates_);
    archive.value(updates_due_);
    archive.value(targets_due_);
    archive.value(started_trained_);
  }

 private:
  // A random action that an instance is in the middle of.
  struct Repeated {
    std::uint64_t action = 0, left = 0;
  };

  // Whether the random action goes on, or a new one begins.
  template <typename Allowed>
  bool explores(Repeated& repeated, double rate, Allowed allowed) {
    if (repeated.left > 0 && allowed(repeated.action)) {
      --repeated.left;
      return true;
    }
    repeated.left = 0;
    if (random_.uniform() >= rate) return false;
    repeated = {any_of(allowed), duration() - 1};
    return true;
  }

  // n steps with a chance in proportion to n^-exponent, by inverse transform.
  std::uint64_t duration() {
    if (durations_.empty()) return 1;
    const double at = random_.uniform() * durations_.back();
    const auto found = std::ranges::upper_bound(durations_, at);
    return std::min(static_cast<std::size_t>(found - durations_.begin()) + 1, durations_.size());
  }

  template <typename Allowed>
  std::size_t any_of(Allowed allowed) {
    std::size_t count = 0;
    for (std::size_t a = 0; a < choices_; ++a) count += allowed(a) ? 1 : 0;
    RLTUNE_CHECK(count > 0);
    std::size_t left = random_.below(count), a = 0;
    for (;; ++a)
      if (allowed(a) && left-- == 0) return a;
  }

  double exploration_rate() const {
    if (started_trained_) return h_.exploration_final_eps;
    const std::uint64_t planned = steps_planned_ > 0 ? steps_planned_ : h_.n_timesteps;
    const double done = progress(steps_, planned);
    const double fallen = h_.exploration_fraction > 0.0 ? std::min(1.0, done / h_.exploration_fraction) : 1.0;
    return between(h_.exploration_initial_eps, h_.exploration_final_eps, fallen);
  }

  void gradient_step() {
    draw();
    workers_->run([this](std::size_t s) {
      shards_[s].batch.gather(replay_, normaliser_);
      gradients(shards_[s], std::span(weights_).subspan(s * shards_[s].batch.rows, shards_[s].batch.rows));
    });
    nn::add(shards_[1].gradient, shards_[0].gradient);
    const float shorter = nn::clip_factor(nn::squared_norm(shards_[0].gradient), static_cast<float>(h_.max_grad_norm));
    adam_.step(network_.mlp().parameters(), shards_[0].gradient, adam(), shorter);
    network_.mlp().prepare_backward();
    if (priorities_)
      for (const Shard& shard : shards_)
        for (std::size_t row = 0; row < shard.batch.rows; ++row)
          priorities_->learned(shard.batch.indices[row], shard.error[row]);
    ++updates_;
  }

  void draw() {
    if (!priorities_) {
      for (Shard& shard : shards_) shard.batch.draw(random_, replay_);
      return;
    }
    const double beta = between(h_.importance_exponent, 1.0, progress(steps_, steps_planned_));
    priorities_->draw(random_, replay_.size(), beta, items_, weights_);
    for (std::size_t s = 0; s < kShards; ++s)
      std::copy_n(&items_[s * shards_[s].batch.rows], shards_[s].batch.rows, shards_[s].batch.indices.begin());
  }

  // y = r + discount Q'(s', argmax_a Q(s', a)) over the actions that s' allows; plain Q-learning asks Q' for both.
  void targets(Shard& shard) const {
    const Batch& batch = shard.batch;
    const auto valued = target_.forward(shard.target_pass, batch.next.data());
    const auto chosen = h_.double_q ? network_.forward(shard.pass, batch.next.data()) : valued;
    for (std::size_t row = 0; row < batch.rows; ++row) {
      const auto mask = replay_[batch.indices[row]].next_mask;
      const std::size_t best =
          best_of(chosen.subspan(row * choices_, choices_), [&](std::size_t a) { return mask[a] > 0.0F; });
      shard.target[row] = batch.reward[row] + batch.discount[row] * valued[row * choices_ + best];
    }
  }

  // loss = mean weight huber(Q(s, a) - y)
  void gradients(Shard& shard, std::span<const float> weights) const {
    targets(shard);
    const Batch& batch = shard.batch;
    const auto values = network_.forward(shard.pass, batch.now.data());
    const float share = 1.0F / static_cast<float>(h_.batch_size);
    std::ranges::fill(shard.value_gradient, 0.0F);
    shard.loss = shard.value = 0.0;
    for (std::size_t row = 0; row < batch.rows; ++row) {
      const std::size_t at = row * choices_ + static_cast<std::size_t>(*batch.action(row));
      shard.error[row] = values[at] - shard.target[row];
      const Huber huber = huber_of(shard.error[row]);
      shard.value_gradient[at] = share * weights[row] * huber.slope;
      shard.loss += static_cast<double>(share * weights[row] * huber.loss);
      shard.value += static_cast<double>(share * values[at]);
    }
    network_.backward(shard.pass, shard.value_gradient, shard.gradient);
  }

  nn::AdamOptions adam() const {
    return adam_options(h_.learning_rate, h_.learning_rate_end, progress(steps_, steps_planned_));
  }

  void report_update() {
    report(metrics_, "train/loss", shards_[0].loss + shards_[1].loss);
    report(metrics_, "train/value", shards_[0].value + shards_[1].value);
    report(metrics_, "train/learning_rate", static_cast<double>(adam().learning_rate));
    report(metrics_, "train/n_updates", static_cast<double>(updates_));
    report(metrics_, "rollout/exploration_rate", exploration_rate());
  }

  const DqnHyperparameters h_;
  const std::size_t states_, choices_, instances_;
  const std::uint64_t steps_planned_;
  std::shared_ptr<Workers> workers_;
  Random random_;
  Normaliser normaliser_;
  Replay replay_;
  NStep n_step_;
  std::optional<Priorities> priorities_;
  QNetwork network_, target_;
  nn::Adam adam_;
  std::vector<Shard> shards_;
  std::vector<Repeated> repeated_;
  std::vector<double> durations_;  // cumulated weights of 1, 2, ... steps; empty: always 1
  QNetwork::Pass acting_;
  AlignedFloats normalised_;
  QNetwork::Pass valuing_;
  std::vector<std::size_t> items_;
  std::vector<float> weights_;
  std::uint64_t steps_ = 0, updates_ = 0, updates_due_ = 0, targets_due_ = 0;
  bool started_trained_ = false;
  Metrics metrics_;
};

}  // namespace

Result<std::unique_ptr<Learner>> make_dqn(const LearnerOptions& options, const DqnHyperparameters& h) {
  if (options.discrete_actions == 0)
    return fail(Errc::invalid_argument, "dqn gives discrete actions, and this task's are continuous: take sac or td3");
  const auto refuse = [](std::string_view what) {
    return fail(Errc::invalid_argument, std::format("hyperparameter {}", what));
  };
  if (h.batch_size < kShards || h.batch_size % kShards != 0) return refuse("batch_size must be even and positive");
  if (h.gamma < 0.0 || h.gamma > 1.0) return refuse("gamma must lie in [0, 1]");
  if (h.n_step == 0 || h.train_freq == 0 || h.target_update_interval == 0)
    return refuse("n_step, train_freq and target_update_interval must be positive");
  if (h.buffer_size <= h.n_step * options.instances)
    return refuse("buffer_size must be larger than n_step transitions of each instance");
  if (h.exploration_repeat_max == 0 || h.exploration_repeat_max > 10'000)
    return refuse("exploration_repeat_max must lie in [1, 10000]");
  if (h.exploration_repeat_exponent < 0.0) return refuse("exploration_repeat_exponent must not be negative");
  for (const double part : {h.exploration_initial_eps, h.exploration_final_eps, h.exploration_fraction})
    if (part < 0.0 || part > 1.0) return refuse("exploration_... must lie in [0, 1]");
  if (h.priority_exponent < 0.0 || h.importance_exponent < 0.0)
    return refuse("priority_exponent and importance_exponent must not be negative");
  return std::make_unique<Dqn>(
      options, h,
      QNetwork::Shape{options.observation.size(), options.discrete_actions, h.hidden, h.activation, h.dueling});
}

}  // namespace rltune::rl
