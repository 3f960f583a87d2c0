#include "sac.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "cost_multipliers.hpp"
#include "report.hpp"
#include "return_scale.hpp"
#include "rltune/nn/gaussian.hpp"
#include "sde_noise.hpp"

namespace rltune::rl {
namespace {

using nn::AlignedFloats;

// Half a batch: its passes and gradients. Each shard has its own, so shards may run at once.
struct Shard {
  Shard(const nn::MlpShape& actor_shape, const nn::MlpShape& critic_shape, const Batch& batch, std::uint64_t seed,
        std::uint64_t stream)
      : random(seed, stream),
        noise(batch.rows * batch.actions),
        log_probability(batch.rows),
        believed(batch.rows),
        target(batch.rows),
        head_gradient(batch.rows * actor_shape.outputs),
        actor(actor_shape, batch.rows, {.input_stride = batch.stride()}),
        actor_gradient(nn::Mlp(actor_shape).parameters().size()),
        critics(critic_shape, batch.rows, batch.states, batch.actions) {}

  Random random;
  AlignedFloats noise, log_probability, believed, target, head_gradient;
  nn::MlpPass actor;
  AlignedFloats actor_gradient;
  TwinCritics::Shard critics;
  double actor_loss = 0.0, entropy = 0.0, value = 0.0;
};

class Sac final : public OffPolicyLearner {
 public:
  Sac(const LearnerOptions& options, const SacHyperparameters& hyperparameters, std::size_t costs)
      : OffPolicyLearner(options, hyperparameters, 2 * options.actions, costs),
        h_(hyperparameters),
        multipliers_(costs, h_.cost_limit, h_.cost_learning_rate),
        return_scale_(instances_, h_.gamma),
        sde_(h_.hidden.back(), actions_, h_.use_sde ? instances_ : 0),
        gaussian_{.actions = actions_},
        temperature_adam_(1),
        log_temperature_{static_cast<float>(std::log(h_.temperature_start))},
        acting_noise_(instances_ * actions_),
        acting_log_probability_(instances_) {
    for (std::size_t s = 0; s < kShards; ++s)
      shards_.emplace_back(actor_.network().shape(), critic_shape_, batches_[s], options.seed, 1 + s);
  }

 private:
  void explore(std::span<const float> head, std::span<float> actions) override {
    draw_acting_noise();
    gaussian_.sample(head, acting_noise_, actions.data(), actions_, acting_log_probability_);
  }

  // With state-dependent exploration every sde_sample_freq-th step of all instances draws anew.
  void draw_acting_noise() {
    if (!h_.use_sde) {
      for (float& noise : acting_noise_) noise = static_cast<float>(random_.normal());
      return;
    }
    if (steps_ / instances_ % h_.sde_sample_freq == 0 || !sde_drawn_) sde_.draw(random_);
    sde_drawn_ = true;
    const std::size_t width = h_.hidden.back();
    for (std::size_t i = 0; i < acting_noise_.size(); ++i)
      acting_noise_[i] = sde_.standard(i / actions_, i % actions_, acting_.features() + i / actions_ * width);
  }

  void note(const Transitions& transitions) override {
    if (h_.normalise_reward) return_scale_.observe(transitions.rewards, transitions.terminated, transitions.truncated);
    if (multipliers_.any()) multipliers_.update(transitions.costs);
  }

  // Algorithm 1 of the paper, one iteration of its gradient steps.
  void gradient_step() override {
    workers_->run([this](std::size_t s) {
      batches_[s].gather(replay_, normaliser_);
      weigh_rewards(batches_[s]);
      critic_gradients(shards_[s], batches_[s]);
    });
    workers_->run([this](std::size_t c) {
      nn::AdamOptions options = adam(h_.learning_rate_critic);
      options.weight_decay = static_cast<float>(h_.weight_decay_critic);
      critics_.step(c, shards_[0].critics, shards_[1].critics, options);
    });
    workers_->run([this](std::size_t s) { actor_gradients(shards_[s], batches_[s]); });
    workers_->run([this](std::size_t s) {
      if (s == 0) {
        if (updates_ < h_.actor_starts) return;
        actor_.step(shards_[0].actor_gradient, shards_[1].actor_gradient, adam(h_.learning_rate_actor));
        step_temperature();
      } else {
        critics_.follow(static_cast<float>(h_.tau));
      }
    });
  }

  void weigh_rewards(Batch& batch) const {
    if (!h_.normalise_reward && !multipliers_.any()) return;
    const float scale = h_.normalise_reward ? static_cast<float>(return_scale_.factor()) : 1.0F;
    for (std::size_t row = 0; row < batch.rows; ++row)
      batch.reward[row] = scale * multipliers_.penalised(batch.reward[row], replay_[batch.indices[row]].costs.data());
  }

  // Fills the action columns of `table` with a new sample of the policy at its states.
  std::span<const float> sample_actions(Shard& shard, const Batch& batch, AlignedFloats& table) const {
    for (float& noise : shard.noise) noise = static_cast<float>(shard.random.normal());
    const auto head = shard.actor.forward(actor_.network(), table.data());
    gaussian_.sample(head, shard.noise, &table[states_], batch.stride(), shard.log_probability);
    return head;
  }

  // y = r + discount (min_c Q'_c(s', a') - temperature log p(a' | s')),  loss = sum_c mean (Q_c(s, a) - y)^2 / 2
  void critic_gradients(Shard& shard, Batch& batch) const {
    sample_actions(shard, batch, batch.next);
    critics_.lower_of_targets(shard.critics, batch.next.data(), shard.believed);
    const float temperature = std::exp(log_temperature_[0]);
    for (std::size_t row = 0; row < batch.rows; ++row) {
      const float soft = shard.believed[row] - temperature * shard.log_probability[row];
      shard.target[row] = batch.reward[row] + batch.discount[row] * soft;
    }
    critics_.gradients(shard.critics, batch.now.data(), shard.target, row_weight());
  }

  // loss = mean [ temperature log p(a | s) - min_c Q_c(s, a) ],  a = tanh(mean + deviation noise)
  void actor_gradients(Shard& shard, Batch& batch) const {
    const auto head = sample_actions(shard, batch, batch.now);
    critics_.lower(shard.critics, batch.now.data(), shard.believed);
    const float weight = row_weight(), temperature = std::exp(log_temperature_[0]);
    shard.actor_loss = shard.entropy = shard.value = 0.0;
    for (std::size_t row = 0; row < batch.rows; ++row) {
      shard.actor_loss +=
          static_cast<double>(weight * (temperature * shard.log_probability[row] - shard.believed[row]));
      shard.entropy -= static_cast<double>(weight * shard.log_probability[row]);
      shard.value += static_cast<double>(weight * shard.believed[row]);
    }
    const auto action_gradient = critics_.lower_action_gradient(shard.critics, -weight);
    gaussian_.backward(head, shard.noise, &batch.now[states_], batch.stride(), action_gradient, weight * temperature,
                       shard.head_gradient);
    shard.actor.backward(actor_.network(), shard.head_gradient, shard.actor_gradient);
  }

  // loss = log temperature * (entropy - target entropy)
  void step_temperature() {
    const double entropy = shards_[0].entropy + shards_[1].entropy;
    const double target = h_.target_entropy_per_action * static_cast<double>(actions_);
    const std::array<float, 1> gradient{static_cast<float>(entropy - target)};
    temperature_adam_.step(log_temperature_, gradient, adam(h_.learning_rate_temperature));
  }

  void report_update() override {
    const Shard &a = shards_[0], &b = shards_[1];
    report(metrics_, "train/critic_loss", a.critics.loss + b.critics.loss);
    report(metrics_, "train/actor_loss", a.actor_loss + b.actor_loss);
    report(metrics_, "train/ent_coef", std::exp(static_cast<double>(log_temperature_[0])));
    report(metrics_, "train/entropy", a.entropy + b.entropy);
    report(metrics_, "train/value", a.value + b.value);
    report(metrics_, "train/learning_rate", static_cast<double>(adam(h_.learning_rate_actor).learning_rate));
    if (h_.normalise_reward) report(metrics_, "train/reward_scale", h_.reward_scale * return_scale_.factor());
    multipliers_.report_to(metrics_);
    report(metrics_, "train/n_updates", static_cast<double>(updates_));
  }

  void archive_more(Archive& archive) override {
    for (Shard& shard : shards_) archive.random(shard.random);
    multipliers_.archive(archive);
    return_scale_.archive(archive);
    sde_.archive(archive);
    archive.value(log_temperature_);
    archive_adam(archive, temperature_adam_);
    archive.value(sde_drawn_);
  }

  const SacHyperparameters h_;
  CostMultipliers multipliers_;
  ReturnScale return_scale_;
  SdeNoise sde_;
  nn::SquashedGaussian gaussian_;
  nn::Adam temperature_adam_;
  std::array<float, 1> log_temperature_;
  std::vector<Shard> shards_;
  AlignedFloats acting_noise_, acting_log_probability_;
  bool sde_drawn_ = false;
};

}  // namespace

Result<std::unique_ptr<Learner>> make_sac(const LearnerOptions& options, const SacHyperparameters& h) {
  if (auto checked = OffPolicyLearner::check("sac", options, h); !checked) return std::unexpected(checked.error());
  if (h.temperature_start <= 0.0)
    return fail(Errc::invalid_argument, "hyperparameter temperature_start must be positive");
  if (h.sde_sample_freq == 0) return fail(Errc::invalid_argument, "hyperparameter sde_sample_freq must be positive");
  return std::make_unique<Sac>(options, h, h.constrained ? options.costs : 0);
}

}  // namespace rltune::rl
