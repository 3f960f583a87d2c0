#include "iql.hpp"

#include <algorithm>
#include <cmath>

#include "cloning.hpp"
#include "critics.hpp"
#include "iql_losses.hpp"
#include "offline.hpp"
#include "policy_layers.hpp"
#include "report.hpp"

namespace rltune::rl {
namespace {

constexpr float kLogStdLow = -5.0F, kLogStdHigh = 2.0F;

struct Shapes {
  nn::MlpShape actor, critic, value;
};

struct Shard {
  Shard(const Shapes& shapes, const Batch& batch)
      : actor(shapes.actor, batch),
        critics(shapes.critic, batch.rows, batch.states, batch.actions),
        value(shapes.value, batch.rows, {.input_stride = batch.stride()}),
        value_gradient(batch.rows),
        value_parameters(nn::Mlp(shapes.value).parameters().size()),
        believed(batch.rows),
        target(batch.rows),
        weight(batch.rows),
        action_gradient(batch.rows * batch.actions),
        log_std_gradient(batch.actions) {}

  DeterministicPass actor;
  TwinCritics::Shard critics;
  nn::MlpPass value;
  nn::AlignedFloats value_gradient, value_parameters, believed, target, weight, action_gradient, log_std_gradient;
  double value_loss = 0.0, actor_loss = 0.0, expected = 0.0;
};

class Iql final : public OfflineLearner {
 public:
  Iql(const LearnerOptions& options, const IqlHyperparameters& hyperparameters, const Shapes& shapes)
      : OfflineLearner(options, hyperparameters),
        h_(hyperparameters),
        critics_(shapes.critic, random_),
        value_(shapes.value, random_, 1.0F),
        log_std_(actions_, 0.0F),
        log_std_adam_(actions_),
        action_values_(shapes.critic, states_, actions_) {
    for (const Batch& batch : batches_) shards_.emplace_back(shapes, batch);
  }

  bool action_values(std::span<const float> observations, std::span<const float> actions,
                     std::span<float> values) override {
    action_values_.write(critics_, normaliser_, observations, actions, values);
    return true;
  }

 private:
  // Algorithm 1 of the paper; all three losses from the same batch.
  void gradient_step() override {
    workers_->run([this](std::size_t s) {
      Shard& shard = shards_[s];
      Batch& batch = batches_[s];
      batch.gather(replay_, normaliser_);
      value_gradients(shard, batch);
      critic_gradients(shard, batch);
      actor_gradients(shard, batch);
    });
    workers_->run([this](std::size_t s) {
      critics_.step(s, shards_[0].critics, shards_[1].critics, adam(h_.learning_rate_critic));
      if (s == 0) {
        value_.step(shards_[0].value_parameters, shards_[1].value_parameters, adam(h_.learning_rate_critic));
      } else {
        actor_.step(shards_[0].actor.gradient, shards_[1].actor.gradient, adam(h_.learning_rate_actor));
        nn::add(shards_[1].log_std_gradient, shards_[0].log_std_gradient);
        log_std_adam_.step(log_std_, shards_[0].log_std_gradient, adam(h_.learning_rate_actor));
        for (float& log_std : log_std_) log_std = std::clamp(log_std, kLogStdLow, kLogStdHigh);
      }
    });
    critics_.follow(static_cast<float>(h_.tau));
  }

  // loss = mean expectile(min_c Q'_c(s, a) - V(s)); leaves the advantages' weights behind.
  void value_gradients(Shard& shard, const Batch& batch) const {
    critics_.lower_of_targets(shard.critics, batch.now.data(), shard.believed);
    const auto value = shard.value.forward(value_.network(), batch.now.data());
    shard.value_loss = shard.expected = 0.0;
    for (std::size_t row = 0; row < batch.rows; ++row) {
      const float advantage = shard.believed[row] - value[row];
      const Expectile expectile = expectile_of(advantage, static_cast<float>(h_.expectile));
      shard.value_gradient[row] = -row_weight() * expectile.slope;
      shard.value_loss += static_cast<double>(row_weight() * expectile.loss);
      shard.expected += static_cast<double>(row_weight() * value[row]);
      shard.weight[row] = advantage_weight(advantage, static_cast<float>(h_.beta), static_cast<float>(h_.weight_max));
    }
    shard.value.backward(value_.network(), shard.value_gradient, shard.value_parameters);
  }

  // y = r + discount V(s'),  loss = sum_c mean (Q_c(s, a) - y)^2 / 2
  void critic_gradients(Shard& shard, const Batch& batch) const {
    const auto next = shard.value.forward(value_.network(), batch.next.data());
    for (std::size_t row = 0; row < batch.rows; ++row)
      shard.target[row] = batch.reward[row] + batch.discount[row] * next[row];
    critics_.gradients(shard.critics, batch.now.data(), shard.target, row_weight());
  }

  // loss = -mean weight log p(a | s),  p normal around tanh(f(s)) with one deviation an action
  void actor_gradients(Shard& shard, Batch& batch) const {
    shard.actor.act(actor_.network(), batch, batch.now.data());
    for (float& weight : shard.weight) weight *= row_weight();
    shard.actor_loss = likelihood_loss(batch, shard.weight, log_std_, shard.action_gradient, shard.log_std_gradient);
    shard.actor.backward(actor_.network(), batch, batch.now.data(), shard.action_gradient);
  }

  void explore(std::span<float> actions) override {
    for (std::size_t i = 0; i < actions.size(); ++i) {
      const float noise = std::exp(log_std_[i % actions_]) * static_cast<float>(random_.normal());
      actions[i] = std::clamp(actions[i] + noise, -1.0F, 1.0F);
    }
  }

  void report_update() override {
    const Shard &a = shards_[0], &b = shards_[1];
    double std = 0.0;
    for (const float log_std : log_std_) std += std::exp(static_cast<double>(log_std)) / static_cast<double>(actions_);
    report(metrics_, "train/critic_loss", a.critics.loss + b.critics.loss);
    report(metrics_, "train/value_loss", a.value_loss + b.value_loss);
    report(metrics_, "train/actor_loss", a.actor_loss + b.actor_loss);
    report(metrics_, "train/value", a.expected + b.expected);
    report(metrics_, "train/std", std);
    report(metrics_, "train/learning_rate", static_cast<double>(adam(h_.learning_rate_actor).learning_rate));
    report(metrics_, "train/n_updates", static_cast<double>(updates_));
  }

  void archive_more(Archive& archive) override {
    critics_.archive(archive);
    value_.archive(archive);
    archive.values(std::span<float>(log_std_));
    archive_adam(archive, log_std_adam_);
  }

  const IqlHyperparameters h_;
  TwinCritics critics_;
  TrainedNetwork value_;
  nn::AlignedFloats log_std_;
  nn::Adam log_std_adam_;
  std::vector<Shard> shards_;
  ActionValues action_values_;
};

}  // namespace

Result<std::unique_ptr<Learner>> make_iql(const LearnerOptions& options, const IqlHyperparameters& h) {
  if (options.discrete_actions > 0)
    return fail(Errc::invalid_argument, "iql gives continuous actions, and this task's are discrete: take bc");
  if (h.expectile <= 0.0 || h.expectile >= 1.0)
    return fail(Errc::invalid_argument, "hyperparameter expectile must lie between 0 and 1");
  if (h.weight_max <= 0.0) return fail(Errc::invalid_argument, "hyperparameter weight_max must be positive");
  if (auto checked = OfflineLearner::check(h); !checked) return std::unexpected(checked.error());
  const std::size_t states = options.observation.size();
  const Shapes shapes{{states, h.hidden, options.actions, h.activation, false},
                      {states + options.actions, h.hidden, 1, h.activation, false},
                      {states, h.hidden, 1, h.activation, false}};
  return std::make_unique<Iql>(options, h, shapes);
}

}  // namespace rltune::rl
