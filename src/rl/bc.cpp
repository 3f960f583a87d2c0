#include "bc.hpp"

#include "cloning.hpp"
#include "offline.hpp"
#include "report.hpp"
#include "rltune/nn/categorical.hpp"

namespace rltune::rl {
namespace {

struct Shard {
  Shard(const nn::MlpShape& shape, const Batch& batch)
      : actor(shape, batch),
        action_gradient(batch.rows * batch.actions),
        log_probability(batch.rows * shape.outputs),
        preference_gradient(batch.rows * shape.outputs),
        chosen(batch.rows),
        weight(batch.rows) {}
  DeterministicPass actor;
  nn::AlignedFloats action_gradient, log_probability, preference_gradient, chosen, weight;
  double loss = 0.0;
};

class Bc final : public OfflineLearner {
 public:
  Bc(const LearnerOptions& options, const BcHyperparameters& hyperparameters)
      : OfflineLearner(options, hyperparameters), h_(hyperparameters), categorical_{choices_} {
    for (const Batch& batch : batches_) shards_.emplace_back(actor_.network().shape(), batch);
  }

 private:
  void gradient_step() override {
    workers_->run([this](std::size_t s) {
      batches_[s].gather(replay_, normaliser_);
      if (choices_ > 0)
        chosen_gradients(shards_[s], batches_[s]);
      else
        gradients(shards_[s], batches_[s]);
    });
    nn::AdamOptions options = adam(h_.learning_rate);
    options.weight_decay = static_cast<float>(h_.weight_decay);
    actor_.step(shards_[0].actor.gradient, shards_[1].actor.gradient, options);
  }

  // loss = mean (pi(s) - a)^2
  void gradients(Shard& shard, Batch& batch) const {
    shard.actor.act(actor_.network(), batch, batch.now.data());
    std::ranges::fill(shard.action_gradient, 0.0F);
    shard.loss = cloning_loss(batch, row_weight(), shard.action_gradient);
    shard.actor.backward(actor_.network(), batch, batch.now.data(), shard.action_gradient);
  }

  // loss = -mean log p(a | s)
  void chosen_gradients(Shard& shard, Batch& batch) const {
    const auto preferences = shard.actor.pass.forward(actor_.network(), batch.now.data());
    categorical_.log_probabilities(preferences, {}, shard.log_probability);
    categorical_.log_probability_of(shard.log_probability, batch.taken, shard.chosen);
    shard.loss = 0.0;
    for (std::size_t row = 0; row < batch.rows; ++row) {
      shard.weight[row] = -row_weight();
      shard.loss -= static_cast<double>(row_weight() * shard.chosen[row]);
    }
    categorical_.backward(shard.log_probability, batch.taken, shard.weight, 0.0F, shard.preference_gradient);
    shard.actor.pass.backward(actor_.network(), shard.preference_gradient, shard.actor.gradient);
  }

  void report_update() override {
    report(metrics_, "train/loss", shards_[0].loss + shards_[1].loss);
    report(metrics_, "train/learning_rate", static_cast<double>(adam(h_.learning_rate).learning_rate));
    report(metrics_, "train/n_updates", static_cast<double>(updates_));
  }

  void archive_more(Archive&) override {}

  const BcHyperparameters h_;
  const nn::Categorical categorical_;
  std::vector<Shard> shards_;
};

}  // namespace

Result<std::unique_ptr<Learner>> make_bc(const LearnerOptions& options, const BcHyperparameters& h) {
  if (auto checked = OfflineLearner::check(h); !checked) return std::unexpected(checked.error());
  return std::make_unique<Bc>(options, h);
}

}  // namespace rltune::rl
