#include "recurrent_ppo.hpp"

#include <algorithm>
#include <format>

#include "memory_network.hpp"
#include "normaliser.hpp"
#include "policy_layers.hpp"
#include "rltune/base/denormals.hpp"
#include "rollout.hpp"
#include "value_scale.hpp"

namespace rltune::rl {
namespace {

using nn::AlignedFloats;

struct Shapes {
  MemoryShape actor, critic;
  RolloutShape rollout;
};

// The sequences of half a minibatch's instances: tables are [step][sequence].
struct Shard {
  Shard(const Shapes& shapes, std::size_t sequence_count, std::size_t head_parameters)
      : sequences(sequence_count),
        rows(shapes.rollout.steps * sequences),
        order(rows),
        observations(rows * shapes.rollout.observations),
        actions(rows * shapes.rollout.actions),
        masks(rows * shapes.rollout.choices),
        starts(rows),
        actor_state(sequences * shapes.actor.memory.hidden),
        critic_state(sequences * shapes.critic.memory.hidden),
        log_probability(rows),
        entropy(rows),
        slope(rows),
        out_gradient(rows * shapes.actor.head.outputs),
        scratch(rows * shapes.actor.head.outputs),
        value_gradient(rows),
        head_gradient(head_parameters),
        actor(shapes.actor, shapes.rollout.steps, sequences),
        critic(shapes.critic, shapes.rollout.steps, sequences) {}

  std::size_t sequences, rows;
  std::vector<std::uint32_t> order;  // row of the rollout of each
  AlignedFloats observations, actions;
  std::vector<std::uint8_t> masks, starts;
  AlignedFloats actor_state, critic_state;
  AlignedFloats log_probability, entropy, slope, out_gradient, scratch, value_gradient, head_gradient;
  MemoryPass actor, critic;
  PolicyLoss policy;
  double value_loss = 0.0;
};

class RecurrentPpo final : public Learner {
 public:
  RecurrentPpo(const LearnerOptions& options, const RecurrentPpoHyperparameters& hyperparameters, const Shapes& shapes,
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
        head_adam_(head_->parameters().size()),
        rollout_(shapes.rollout),
        starts_(rollout_.size()),
        begins_(instances_, 1),
        actor_state_(instances_ * h_.recurrent_width),
        critic_state_(actor_state_.size()),
        actor_state_first_(actor_state_.size()),
        critic_state_first_(actor_state_.size()),
        normalised_(instances_ * states_),
        scratch_(instances_ * head_->outputs()),
        acting_(shapes.actor, 1, instances_),
        valuing_(shapes.critic, 1, instances_),
        looking_ahead_(shapes.critic, 1, instances_),
        order_(instances_) {
    actor_.initialise(random_, 0.01F);
    critic_.initialise(random_, 1.0F);
    const std::size_t sequences = h_.batch_size / h_.n_steps / kShards;
    for (std::size_t s = 0; s < kShards; ++s) shards_.emplace_back(shapes, sequences, head_->parameters().size());
  }

  void act(const Situations& now, std::span<float> actions) override {
    const FlushDenormals flush;
    if (rollout_.time == 0) {
      actor_state_first_ = actor_state_;
      critic_state_first_ = critic_state_;
    }
    const std::size_t row = rollout_.row();
    float* states = &rollout_.observations[row * states_];
    float* taken = &rollout_.actions[row * actions_];
    normaliser_.apply(now.observations.data(), instances_, states, states_);
    std::ranges::copy(begins_, &starts_[row]);
    rollout_.store_masks(now.masks);
    head_->draw(random_, rollout_.time, {taken, actions.size()});
    const auto out = acting_.forward(actor_, states, actor_state_, begins_);
    const std::uint8_t* masks = rollout_.masks.empty() ? nullptr : &rollout_.masks[row * rollout_.shape.choices];
    head_->sample({instances_, out.data(), acting_.features(), masks, scratch_.data()}, 0, taken,
                  &rollout_.log_probability[row]);
    std::copy_n(taken, actions.size(), actions.begin());
    write_values(valuing_.forward(critic_, states, critic_state_, begins_), &rollout_.values[row]);
    std::ranges::copy(acting_.state(), actor_state_.begin());
    std::ranges::copy(valuing_.state(), critic_state_.begin());
  }

  void observe(const Transitions& t) override {
    const FlushDenormals flush;
    measured_.update(t.observations);
    steps_ += instances_;
    const std::size_t row = rollout_.row();
    if (rollout_.store(t)) {
      normaliser_.apply(t.next_observations.data(), instances_, normalised_.data(), states_);
      write_values(looking_ahead_.forward(critic_, normalised_.data(), critic_state_, {}), &rollout_.next_values[row]);
    }
    for (std::size_t i = 0; i < instances_; ++i) begins_[i] = t.terminated[i] | t.truncated[i];
  }

  std::size_t update() override {
    if (!rollout_.complete()) return 0;
    rollout_.estimate_advantages(h_.gamma, h_.gae_lambda);
    const std::size_t made = improve_policy();
    rollout_.time = 0;
    normaliser_ = measured_;
    return made;
  }

  nn::NetworkDescription export_network() const override {
    nn::NetworkDescription network =
        describe_policy(actor_.head, normaliser_, head_->outputs(), nn::Activation::identity);
    network.recurrent.push_back(actor_.memory.layer());
    network.discrete = head_->discrete();
    return network;
  }

  Result<> import_network(const nn::NetworkDescription& network) override {
    if (network.recurrent.size() != 1 || network.recurrent[0].kind != nn::RecurrentLayer::Kind::gru ||
        network.recurrent[0].inputs != states_ || network.recurrent[0].hidden != h_.recurrent_width)
      return fail(Errc::mismatch, std::format("the learner is set to one GRU of {} values behind {} observations",
                                              h_.recurrent_width, states_));
    auto taken = adopt_policy(network, actor_.head, normaliser_, head_->outputs(), nn::Activation::identity);
    if (!taken) return taken;
    actor_.memory.set_layer(network.recurrent[0]);
    actor_.prepare_backward();
    measured_ = normaliser_;
    return {};
  }

  const Metrics& metrics() const override { return metrics_; }

  void archive(Archive& archive) override {
    archive.random(random_);
    normaliser_.archive(archive);
    measured_.archive(archive);
    actor_.archive(archive);
    critic_.archive(archive);
    head_->archive(archive);
    archive_adam(archive, head_adam_);
    value_scale_.archive(archive);
    archive.value(steps_);
    archive.value(updates_);
    rollout_.archive(archive);
    archive.values(std::span<float>(rollout_.values));
    for (AlignedFloats* table : {&actor_state_, &critic_state_, &actor_state_first_, &critic_state_first_})
      archive.values(std::span<float>(*table));
    archive.values(std::span(starts_));
    archive.values(std::span(begins_));
    archive.values(std::span(order_));
  }

 private:
  // In the reward's units.
  void write_values(std::span<const float> out, float* values) const {
    const auto deviation = static_cast<float>(value_scale_.deviation()), mean = static_cast<float>(value_scale_.mean());
    for (std::size_t i = 0; i < out.size(); ++i) values[i] = mean + deviation * out[i];
  }

  std::size_t improve_policy() {
    value_scale_.follow(rollout_.returns, critic_.head);
    const Improvement done = improve(h_, random_, order_, kShards * shards_[0].sequences, [this](std::size_t first) {
      minibatch(first);
      return shards_[0].policy + shards_[1].policy;
    });
    report_update(done.divergence);
    return done.minibatches;
  }

  void minibatch(std::size_t first) {
    workers_->run([this, first](std::size_t s) {
      Shard& shard = shards_[s];
      gather(shard, std::span(order_).subspan(first + s * shard.sequences, shard.sequences));
      actor_gradients(shard);
      critic_gradients(shard);
    });
    const float norm_max = static_cast<float>(h_.max_grad_norm);
    workers_->run([&](std::size_t s) {
      Shard &mine = shards_[0], &other = shards_[1];
      if (s == 0) {
        mine.actor.add_gradients(other.actor);
        nn::add(other.head_gradient, mine.head_gradient);
        actor_.step(mine.actor.memory_gradient, mine.actor.head_gradient, adam(h_.learning_rate), norm_max);
        const float scale = nn::clip_factor(nn::squared_norm(mine.head_gradient), norm_max);
        head_adam_.step(head_->parameters(), mine.head_gradient, adam(h_.learning_rate), scale);
        head_->changed();
      } else {
        mine.critic.add_gradients(other.critic);
        critic_.step(mine.critic.memory_gradient, mine.critic.head_gradient, adam(h_.learning_rate_critic), norm_max);
      }
    });
    ++updates_;
  }

  void gather(Shard& shard, std::span<const std::uint32_t> instances) const {
    const std::size_t width = h_.recurrent_width, choices = rollout_.shape.choices;
    for (std::size_t i = 0; i < shard.sequences; ++i) {
      std::copy_n(&actor_state_first_[instances[i] * width], width, &shard.actor_state[i * width]);
      std::copy_n(&critic_state_first_[instances[i] * width], width, &shard.critic_state[i * width]);
    }
    for (std::size_t row = 0; row < shard.rows; ++row) {
      const std::size_t at = row / shard.sequences * instances_ + instances[row % shard.sequences];
      shard.order[row] = static_cast<std::uint32_t>(at);
      std::copy_n(&rollout_.observations[at * states_], states_, &shard.observations[row * states_]);
      std::copy_n(&rollout_.actions[at * actions_], actions_, &shard.actions[row * actions_]);
      if (choices > 0) std::copy_n(&rollout_.masks[at * choices], choices, &shard.masks[row * choices]);
      shard.starts[row] = starts_[at];
    }
  }

  float weight() const noexcept { return 1.0F / static_cast<float>(kShards * shards_[0].rows); }

  void actor_gradients(Shard& shard) const {
    const auto out = shard.actor.forward(actor_, shard.observations.data(), shard.actor_state, shard.starts);
    const HeadRows rows{shard.rows, out.data(), shard.actor.features(),
                        shard.masks.empty() ? nullptr : shard.masks.data(), shard.scratch.data()};
    head_->evaluate(rows, shard.actions.data(), shard.log_probability.data(), shard.entropy.data());
    shard.policy = clipped_objective(rollout_, shard.order, shard.log_probability, shard.entropy, h_.clip_range,
                                     weight(), shard.slope);
    std::ranges::fill(shard.head_gradient, 0.0F);
    head_->backward(rows, shard.actions.data(), shard.slope.data(), -static_cast<float>(h_.ent_coef) * weight(),
                    shard.out_gradient.data(), shard.head_gradient.data());
    shard.actor.backward(actor_, shard.out_gradient);
  }

  void critic_gradients(Shard& shard) const {
    const auto value = shard.critic.forward(critic_, shard.observations.data(), shard.critic_state, shard.starts);
    shard.value_loss = value_loss(rollout_, shard.order, value, value_scale_, weight(), shard.value_gradient);
    shard.critic.backward(critic_, shard.value_gradient);
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
  }

  const RecurrentPpoHyperparameters h_;
  const std::size_t states_, actions_, instances_;
  const std::uint64_t steps_planned_;
  std::shared_ptr<Workers> workers_;
  Random random_;
  Normaliser normaliser_;  // as the rollout uses it
  Normaliser measured_;    // as it will be for the next
  MemoryNetwork actor_, critic_;
  std::unique_ptr<ActionHead> head_;
  nn::Adam head_adam_;
  ValueScale value_scale_;
  Rollout rollout_;
  std::vector<std::uint8_t> starts_,
      begins_;  // an episode begins: [step][instance] of the rollout, and at the next step
  AlignedFloats actor_state_, critic_state_, actor_state_first_, critic_state_first_;  // now; when the rollout began
  AlignedFloats normalised_, scratch_;
  MemoryPass acting_, valuing_, looking_ahead_;
  std::vector<Shard> shards_;
  std::vector<std::uint32_t> order_;  // of instances
  std::uint64_t steps_ = 0, updates_ = 0;
  Metrics metrics_;
};

}  // namespace

Result<std::unique_ptr<Learner>> make_recurrent_ppo(const LearnerOptions& options,
                                                    const RecurrentPpoHyperparameters& h) {
  const auto refuse = [](std::string what) { return fail(Errc::invalid_argument, "hyperparameter " + what); };
  if (h.recurrent_width == 0 || h.n_steps == 0) return refuse("recurrent_width and n_steps must be positive");
  const std::size_t sequences = h.batch_size / h.n_steps;
  if (h.batch_size % h.n_steps != 0 || sequences < kShards || sequences % kShards != 0)
    return refuse(
        std::format("batch_size={} must be an even number of sequences of n_steps={}", h.batch_size, h.n_steps));
  if (options.instances < sequences)
    return refuse(std::format("batch_size={} is {} sequences, and there are {} instances", h.batch_size, sequences,
                              options.instances));
  if (auto checked = check_on_policy(h); !checked) return std::unexpected(checked.error());
  auto head = options.discrete_actions > 0
                  ? make_categorical_head(options.discrete_actions)
                  : make_gaussian_head({.actions = options.actions, .log_std_start = h.log_std_start});
  const nn::GruShape memory{options.observation.size(), h.recurrent_width};
  const Shapes shapes{{memory, {h.recurrent_width, h.hidden, head->outputs(), h.activation, false}},
                      {memory, {h.recurrent_width, h.hidden, 1, h.activation, false}},
                      {.steps = h.n_steps,
                       .instances = options.instances,
                       .observations = options.observation.size(),
                       .actions = options.actions,
                       .choices = options.discrete_actions}};
  return std::make_unique<RecurrentPpo>(options, h, shapes, std::move(head));
}

}  // namespace rltune::rl
