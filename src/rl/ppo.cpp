#include "ppo.hpp"

#include <algorithm>
#include <cmath>
#include <format>

#include "cost_multipliers.hpp"
#include "normaliser.hpp"
#include "policy_layers.hpp"
#include "rltune/base/check.hpp"
#include "rltune/nn/adam.hpp"
#include "rltune/nn/mlp.hpp"
#include "rollout.hpp"
#include "value_scale.hpp"

namespace rltune::rl {
namespace {

using nn::AlignedFloats;
using nn::Mlp;
using nn::MlpPass;
using nn::MlpShape;

constexpr std::size_t kTogether = 32;  // fewer instances are not worth a second thread

struct Shapes {
  MlpShape actor, critic;
  RolloutShape rollout;
};

// Half a minibatch: its rows, passes and gradients.
struct Shard {
  Shard(const Shapes& shapes, std::size_t row_count, std::size_t head_parameters)
      : rows(row_count),
        observations(rows * shapes.actor.inputs),
        actions(rows * shapes.rollout.actions),
        masks(rows * shapes.rollout.choices),
        log_probability(rows),
        entropy(rows),
        slope(rows),
        out_gradient(rows * shapes.actor.outputs),
        scratch(rows * shapes.actor.outputs),
        value_gradient(rows),
        actor(shapes.actor, rows),
        critic(shapes.critic, rows),
        actor_gradient(Mlp(shapes.actor).parameters().size()),
        critic_gradient(Mlp(shapes.critic).parameters().size()),
        head_gradient(head_parameters) {}

  std::size_t rows;
  AlignedFloats observations, actions;
  std::vector<std::uint8_t> masks;
  AlignedFloats log_probability, entropy, slope, out_gradient, scratch, value_gradient;
  MlpPass actor, critic;
  AlignedFloats actor_gradient, critic_gradient, head_gradient;
  PolicyLoss policy;
  double value_loss = 0.0;
};

// Half of the instances, for acting and for valuing states.
struct Half {
  std::size_t first = 0, count = 0;
  std::unique_ptr<MlpPass> actor, critic;
  AlignedFloats scratch;
};

class Ppo final : public Learner {
 public:
  Ppo(const LearnerOptions& options, const PpoHyperparameters& hyperparameters, const Shapes& shapes,
      std::unique_ptr<ActionHead> head)
      : h_(hyperparameters),
        states_(options.observation.size()),
        actions_(options.actions),
        instances_(options.instances),
        steps_planned_(options.steps_planned),
        workers_(options.workers ? options.workers : std::make_shared<Workers>(1)),
        random_(options.seed, 0),
        normaliser_(options.observation, h_.normaliser_horizon, h_.observation_clip),
        measured_(normaliser_),
        actor_(shapes.actor),
        critic_(shapes.critic),
        head_(std::move(head)),
        actor_adam_(actor_.parameters().size()),
        critic_adam_(critic_.parameters().size()),
        head_adam_(head_->parameters().size()),
        multipliers_(shapes.rollout.costs, h_.cost_limit, h_.cost_learning_rate),
        normalised_(instances_ * states_),
        rollout_(shapes.rollout),
        order_(rollout_.size()) {
    actor_.initialise(random_, 0.01F);
    critic_.initialise(random_, 1.0F);
    const std::size_t second = instances_ < kTogether ? 0 : instances_ / 2;
    for (std::size_t s = 0; s < kShards; ++s) {
      shards_.emplace_back(shapes, h_.batch_size / kShards, head_->parameters().size());
      const std::size_t first = s == 0 ? 0 : instances_ - second;
      const std::size_t count = s == 0 ? instances_ - second : second;
      Half half{first, count, nullptr, nullptr, AlignedFloats(count * shapes.actor.outputs)};
      if (count > 0) {
        half.actor = std::make_unique<MlpPass>(shapes.actor, count);
        half.critic = std::make_unique<MlpPass>(shapes.critic, count);
      }
      halves_.push_back(std::move(half));
    }
  }

  void act(const Situations& now, std::span<float> actions) override {
    rollout_.store_masks(now.masks);
    head_->draw(random_, rollout_.time, std::span(rollout_.actions).subspan(rollout_.row() * actions_, actions.size()));
    workers_->run([&](std::size_t s) {
      Half& half = halves_[s];
      if (half.count > 0) act_half(half, now.observations, actions);
    });
  }

  void observe(const Transitions& t) override {
    measured_.update(t.observations);
    steps_ += instances_;
    const std::size_t row = rollout_.row();
    const bool wanted = rollout_.store(t);
    limit_rewards(row);
    if (wanted) value_states(t.next_observations, &rollout_.next_values[row]);
  }

  std::size_t update() override {
    if (!rollout_.complete()) return 0;
    value_rollout();
    penalise();
    rollout_.estimate_advantages(h_.gamma, h_.gae_lambda);
    const std::size_t made = improve_policy();
    rollout_.time = 0;
    normaliser_ = measured_;
    return made;
  }

  nn::NetworkDescription export_network() const override {
    nn::NetworkDescription network = describe_policy(actor_, normaliser_, head_->outputs(), nn::Activation::identity);
    network.discrete = head_->discrete();
    return network;
  }

  Result<> import_network(const nn::NetworkDescription& network) override {
    auto taken = adopt_policy(network, actor_, normaliser_, head_->outputs(), nn::Activation::identity);
    if (taken) measured_ = normaliser_;
    return taken;
  }

  const Metrics& metrics() const override { return metrics_; }

  void archive(Archive& archive) override {
    archive.random(random_);
    normaliser_.archive(archive);
    measured_.archive(archive);
    archive_network(archive, actor_, actor_adam_);
    archive_network(archive, critic_, critic_adam_);
    head_->archive(archive);
    archive_adam(archive, head_adam_);
    value_scale_.archive(archive);
    multipliers_.archive(archive);
    archive.value(steps_);
    archive.value(updates_);
    rollout_.archive(archive);
    archive.values(std::span(order_));
  }

 private:
  void act_half(Half& half, std::span<const float> observations, std::span<float> actions) {
    const std::size_t at = rollout_.row() + half.first;
    float* states = &rollout_.observations[at * states_];
    normaliser_.apply(&observations[half.first * states_], half.count, states, states_);
    const auto out = half.actor->forward(actor_, states);
    float* taken = &rollout_.actions[at * actions_];
    head_->sample({half.count, out.data(), half.actor->features(), masks_of(rollout_.masks, at), half.scratch.data()},
                  half.first, taken, &rollout_.log_probability[at]);
    std::copy_n(taken, half.count * actions_, &actions[half.first * actions_]);
  }

  // A plant that is lost costs thousands of times more a step than one that is run: those few steps would be all that
  // the advantages' common scale leaves to see.
  void limit_rewards(std::size_t row) {
    if (h_.reward_limit <= 0.0) return;
    const auto limit = static_cast<float>(h_.reward_limit);
    for (float& reward : std::span(rollout_.rewards).subspan(row, instances_))
      reward = std::clamp(reward, -limit, limit);
  }

  const std::uint8_t* masks_of(const std::vector<std::uint8_t>& masks, std::size_t row) const {
    return masks.empty() ? nullptr : &masks[row * rollout_.shape.choices];
  }

  // Values of one row of states an instance, in the reward's units.
  void value_states(std::span<const float> observations, float* values) {
    normaliser_.apply(observations.data(), instances_, normalised_.data(), states_);
    for (const Half& half : halves_)
      if (half.count > 0) value_half(half, &normalised_[half.first * states_], values + half.first);
  }

  void value_half(const Half& half, const float* states, float* values) {
    const auto out = half.critic->forward(critic_, states);
    const auto deviation = static_cast<float>(value_scale_.deviation()), mean = static_cast<float>(value_scale_.mean());
    for (std::size_t i = 0; i < half.count; ++i) values[i] = mean + deviation * out[i];
  }

  void value_rollout() {
    workers_->run([this](std::size_t s) {
      if (halves_[s].count == 0) return;
      for (std::size_t t = 0; t < h_.n_steps; ++t) {
        const std::size_t at = t * instances_ + halves_[s].first;
        value_half(halves_[s], &rollout_.observations[at * states_], &rollout_.values[at]);
      }
    });
  }

  void penalise() {
    if (!multipliers_.any()) return;
    multipliers_.update(rollout_.costs);
    for (std::size_t at = 0; at < rollout_.size(); ++at)
      rollout_.rewards[at] = multipliers_.penalised(rollout_.rewards[at], &rollout_.costs[at * rollout_.shape.costs]);
  }

  std::size_t improve_policy() {
    value_scale_.follow(rollout_.returns, critic_);
    const Improvement done = improve(h_, random_, order_, h_.batch_size, [this](std::size_t first) {
      minibatch(first);
      return shards_[0].policy + shards_[1].policy;
    });
    report_update(done.divergence);
    return done.minibatches;
  }

  void minibatch(std::size_t first) {
    workers_->run([this, first](std::size_t s) {
      gradients(shards_[s], std::span(order_).subspan(first + s * shards_[s].rows, shards_[s].rows));
    });
    const nn::AdamOptions actor_rate = adam(h_.learning_rate), critic_rate = adam(h_.learning_rate_critic);
    workers_->run([&](std::size_t s) {
      if (s == 0) {
        nn::add(shards_[1].actor_gradient, shards_[0].actor_gradient);
        nn::add(shards_[1].head_gradient, shards_[0].head_gradient);
        step(actor_adam_, actor_.parameters(), shards_[0].actor_gradient, actor_rate);
        step(head_adam_, head_->parameters(), shards_[0].head_gradient, actor_rate);
        head_->changed();
        actor_.prepare_backward();
      } else {
        nn::add(shards_[1].critic_gradient, shards_[0].critic_gradient);
        step(critic_adam_, critic_.parameters(), shards_[0].critic_gradient, critic_rate);
        critic_.prepare_backward();
      }
    });
    ++updates_;
  }

  void step(nn::Adam& optimiser, std::span<float> parameters, std::span<const float> gradient,
            const nn::AdamOptions& options) const {
    const float scale = nn::clip_factor(nn::squared_norm(gradient), static_cast<float>(h_.max_grad_norm));
    optimiser.step(parameters, gradient, options, scale);
  }

  // policy loss = -mean min(ratio A, clip(ratio) A) - ent_coef entropy;  value loss = mean (V - R)^2 / 2
  void gradients(Shard& shard, std::span<const std::uint32_t> order) {
    gather(shard, order);
    const float weight = 1.0F / static_cast<float>(h_.batch_size);
    const auto out = shard.actor.forward(actor_, shard.observations.data());
    const HeadRows rows{shard.rows, out.data(), shard.actor.features(), masks_of(shard.masks, 0), shard.scratch.data()};
    head_->evaluate(rows, shard.actions.data(), shard.log_probability.data(), shard.entropy.data());
    shard.policy =
        clipped_objective(rollout_, order, shard.log_probability, shard.entropy, h_.clip_range, weight, shard.slope);
    std::ranges::fill(shard.head_gradient, 0.0F);
    head_->backward(rows, shard.actions.data(), shard.slope.data(), -static_cast<float>(h_.ent_coef) * weight,
                    shard.out_gradient.data(), shard.head_gradient.data());
    shard.actor.backward(actor_, shard.out_gradient, shard.actor_gradient);

    const auto value = shard.critic.forward(critic_, shard.observations.data());
    shard.value_loss = value_loss(rollout_, order, value, value_scale_, weight, shard.value_gradient);
    shard.critic.backward(critic_, shard.value_gradient, shard.critic_gradient);
  }

  void gather(Shard& shard, std::span<const std::uint32_t> order) const {
    const std::size_t choices = rollout_.shape.choices;
    for (std::size_t row = 0; row < shard.rows; ++row) {
      const std::size_t at = order[row];
      std::copy_n(&rollout_.observations[at * states_], states_, &shard.observations[row * states_]);
      std::copy_n(&rollout_.actions[at * actions_], actions_, &shard.actions[row * actions_]);
      if (choices > 0) std::copy_n(&rollout_.masks[at * choices], choices, &shard.masks[row * choices]);
    }
  }

  nn::AdamOptions adam(double rate) const { return on_policy_adam(h_, rate, progress(steps_, steps_planned_)); }

  void report_update(double divergence) {
    report_to(metrics_,
              {.policy = shards_[0].policy + shards_[1].policy,
               .value_loss = shards_[0].value_loss + shards_[1].value_loss,
               .divergence = divergence,
               .learning_rate = static_cast<double>(adam(h_.learning_rate).learning_rate),
               .updates = updates_},
              rollout_, *head_);
    multipliers_.report_to(metrics_);
  }

  const PpoHyperparameters h_;
  const std::size_t states_, actions_, instances_;
  const std::uint64_t steps_planned_;
  std::shared_ptr<Workers> workers_;
  Random random_;
  Normaliser normaliser_;  // as the rollout uses it
  Normaliser measured_;    // as it will be for the next
  Mlp actor_, critic_;
  std::unique_ptr<ActionHead> head_;
  nn::Adam actor_adam_, critic_adam_, head_adam_;
  ValueScale value_scale_;
  CostMultipliers multipliers_;
  std::vector<Shard> shards_;
  std::vector<Half> halves_;
  AlignedFloats normalised_;
  Rollout rollout_;
  std::vector<std::uint32_t> order_;
  std::uint64_t steps_ = 0, updates_ = 0;
  Metrics metrics_;
};

std::unique_ptr<ActionHead> make_head(const LearnerOptions& options, const PpoHyperparameters& h) {
  if (options.discrete_actions > 0) return make_categorical_head(options.discrete_actions);
  const HeadOptions continuous{.actions = options.actions,
                               .instances = options.instances,
                               .features = h.hidden.back(),
                               .log_std_start = h.log_std_start,
                               .sde_sample_freq = h.sde_sample_freq};
  return h.use_sde ? make_sde_head(continuous) : make_gaussian_head(continuous);
}

}  // namespace

Result<std::unique_ptr<Learner>> make_ppo(const LearnerOptions& options, const PpoHyperparameters& h) {
  const auto refuse = [](std::string what) { return fail(Errc::invalid_argument, "hyperparameter " + what); };
  if (h.batch_size < kShards || h.batch_size % kShards != 0) return refuse("batch_size must be even and positive");
  if (h.n_steps * options.instances < h.batch_size)
    return refuse(std::format("batch_size={} is more than a rollout's {} transitions", h.batch_size,
                              h.n_steps * options.instances));
  if (auto checked = check_on_policy(h); !checked) return std::unexpected(checked.error());
  if (h.sde_sample_freq == 0) return refuse("sde_sample_freq must be positive");
  if (h.use_sde && options.discrete_actions > 0) return refuse("use_sde is for continuous actions");
  const std::size_t states = options.observation.size();
  auto head = make_head(options, h);
  const Shapes shapes{{states, h.hidden, head->outputs(), h.activation, false},
                      {states, h.hidden, 1, h.activation, false},
                      {.steps = h.n_steps,
                       .instances = options.instances,
                       .observations = states,
                       .actions = options.actions,
                       .costs = h.constrained ? options.costs : 0,
                       .choices = options.discrete_actions}};
  return std::make_unique<Ppo>(options, h, shapes, std::move(head));
}

}  // namespace rltune::rl
