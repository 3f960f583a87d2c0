#include "rltune/rl/training.hpp"

#include <algorithm>
#include <cmath>
#include <format>

#include "rltune/base/check.hpp"

namespace rltune::rl {
namespace {

constexpr std::size_t kContinuingSteps = 1'000;  // that a task without an end is reported and evaluated over

}  // namespace

// The tables of one step of all instances.
struct Training::Tables {
  Tables(std::size_t instances, const env::EnvironmentSpec& spec)
      : d(spec.observation.size()),
        a(spec.action.size()),
        k(spec.reward_terms.size()),
        c(spec.costs.size()),
        choices(spec.action_masks ? spec.discrete_actions : 0),
        observations(instances * d),
        next(instances * d),
        successors(instances * d),
        actions(instances * a),
        rewards(instances),
        terms(instances * k),
        terminated(instances),
        truncated(instances),
        costs(instances * c),
        masks(instances * choices),
        next_masks(instances * choices) {}
  env::StepOutput output(std::size_t first, std::size_t count) {
    return {std::span(next).subspan(first * d, count * d), std::span(successors).subspan(first * d, count * d),
            std::span(rewards).subspan(first, count),      std::span(terms).subspan(first * k, count * k),
            std::span(terminated).subspan(first, count),   std::span(truncated).subspan(first, count),
            std::span(costs).subspan(first * c, count * c)};
  }
  std::size_t d, a, k, c, choices;
  std::vector<float> observations, next, successors, actions, rewards, terms;
  std::vector<std::uint8_t> terminated, truncated;
  std::vector<float> costs;
  std::vector<std::uint8_t> masks, next_masks;
};

Training::Training(std::vector<std::unique_ptr<env::Environment>> environments, std::unique_ptr<Learner> learner,
                   std::shared_ptr<Workers> workers, std::uint64_t seed)
    : environments_(std::move(environments)), learner_(std::move(learner)), workers_(std::move(workers)) {
  RLTUNE_CHECK(!environments_.empty() && learner_ && workers_);
  for (const auto& environment : environments_) {
    first_.push_back(instances_);
    instances_ += environment->size();
  }
  const std::size_t terms = spec().reward_terms.size();
  tables_ = std::make_unique<Tables>(instances_, spec());
  running_.resize(instances_ * (1 + terms));
  latest_.resize(kLatest * (1 + terms));
  stagger(seed);
}

Training::Training(std::unique_ptr<env::Environment> environment, std::unique_ptr<Learner> offline,
                   std::shared_ptr<Workers> workers)
    : learner_(std::move(offline)), workers_(std::move(workers)), instances_(1), offline_(true) {
  RLTUNE_CHECK(environment && environment->size() == 1 && learner_ && workers_);
  environments_.push_back(std::move(environment));
  first_.push_back(0);
  const std::size_t width = 1 + spec().reward_terms.size();
  tables_ = std::make_unique<Tables>(instances_, spec());
  running_.resize(width);
  latest_.resize(kLatest * width);
  environments_.front()->reset(0, tables_->observations);
}

Training::~Training() = default;

// Environment e of E is taken e/E of an episode ahead by random actions.
void Training::stagger(std::uint64_t seed) {
  Tables& t = *tables_;
  for (std::size_t e = 0; e < environments_.size(); ++e) {
    env::Environment& environment = *environments_[e];
    const std::size_t first = first_[e], count = environment.size();
    Random random(seed, 1'000 + e);
    environment.reset(random.bits(), std::span(t.next).subspan(first * t.d, count * t.d));
    const std::size_t ahead = spec().episode_steps_max * e / environments_.size();
    const std::span<float> actions = std::span(t.actions).subspan(first * t.a, count * t.a);
    std::vector<std::uint8_t> allowed(count * spec().discrete_actions, 1);
    for (std::size_t step = 0; step < ahead; ++step) {
      if (spec().action_masks) environment.write_masks(allowed);
      const std::size_t choices = spec().discrete_actions;
      for (std::size_t i = 0; i < actions.size(); ++i)
        actions[i] =
            choices > 0
                ? static_cast<float>(env::random_choice(random, std::span(allowed).subspan(i * choices, choices)))
                : static_cast<float>(random.uniform(-1.0, 1.0));
      environment.step(actions, t.output(first, count));
    }
  }
  t.observations = t.next;
  write_masks();
}

void Training::advance() {
  if (offline_) {
    const std::size_t made = learner_->update();
    RLTUNE_CHECK(made > 0);  // data was fed
    updates_ += made;
    steps_ += made;
    return;
  }
  Tables& t = *tables_;
  learner_->act({t.observations, t.masks}, t.actions);
  workers_->run([this](std::size_t shard) {
    for (std::size_t e = shard; e < environments_.size(); e += kShards) step_environment(e);
  });
  account();
  write_masks();
  learner_->observe(
      {t.observations, t.actions, t.rewards, t.successors, t.terminated, t.truncated, t.costs, t.next_masks});
  updates_ += learner_->update();
  steps_ += instances_;
  std::swap(t.observations, t.next);
}

// Of the observations to come. What was allowed where an episode ended is not known: everything.
void Training::write_masks() {
  Tables& t = *tables_;
  if (t.masks.empty()) return;
  for (std::size_t e = 0; e < environments_.size(); ++e)
    environments_[e]->write_masks(
        std::span(t.masks).subspan(first_[e] * t.choices, environments_[e]->size() * t.choices));
  t.next_masks = t.masks;
  for (std::size_t i = 0; i < instances_; ++i)
    if ((t.terminated[i] | t.truncated[i]) != 0) std::fill_n(&t.next_masks[i * t.choices], t.choices, std::uint8_t{1});
}

void Training::step_environment(std::size_t index) {
  Tables& t = *tables_;
  const std::size_t first = first_[index], count = environments_[index]->size();
  environments_[index]->step(std::span(t.actions).subspan(first * t.a, count * t.a), t.output(first, count));
}

void Training::account() {
  const Tables& t = *tables_;
  const std::size_t width = 1 + t.k;
  for (std::size_t i = 0; i < instances_; ++i) {
    double* episode = &running_[i * width];
    episode[0] += 1.0;
    for (std::size_t k = 0; k < t.k; ++k) episode[1 + k] += static_cast<double>(t.terms[i * t.k + k]);
    const bool reported = spec().episode_steps_max == 0 && episode[0] >= static_cast<double>(kContinuingSteps);
    if ((t.terminated[i] | t.truncated[i]) == 0 && !reported) continue;
    std::copy_n(episode, width, &latest_[ended_ % kLatest * width]);
    std::fill_n(episode, width, 0.0);
    ++ended_;
  }
}

EpisodeMeans Training::latest() const {
  const std::size_t width = 1 + tables_->k;
  EpisodeMeans means{.episodes = std::min<std::size_t>(ended_, kLatest), .terms = std::vector<double>(tables_->k)};
  for (std::size_t row = 0; row < means.episodes; ++row) {
    const double share = 1.0 / static_cast<double>(means.episodes);
    means.length += share * latest_[row * width];
    for (std::size_t k = 0; k < tables_->k; ++k) means.terms[k] += share * latest_[row * width + 1 + k];
  }
  for (const double term : means.terms) means.episode_return += term;
  return means;
}

void Training::archive(Archive& archive) {
  archive.value(steps_);
  archive.value(updates_);
  archive.values(std::span(tables_->observations));
  archive.values(std::span(tables_->masks));
  archive.values(std::span(running_));
  archive.values(std::span(latest_));
  archive.value(ended_);
  for (const auto& environment : environments_) environment->archive(archive);
  learner_->archive(archive);
}

Result<PolicyReturns> evaluate_policy(const nn::NetworkDescription& network, env::Environment& environment,
                                      std::uint64_t seed) {
  auto policy = nn::PolicyNetwork::create(network);
  if (!policy) return std::unexpected(policy.error());
  const env::EnvironmentSpec& spec = environment.spec();
  const std::size_t n = environment.size(), d = spec.observation.size(), a = spec.action.size(),
                    k = spec.reward_terms.size(), m = policy->state().size();
  if (policy->inputs() != d || policy->outputs() != a || network.discrete != (spec.discrete_actions > 0))
    return fail(Errc::mismatch, std::format("the policy takes {} numbers and gives {}{}, {} shows {} and takes {}{}",
                                            policy->inputs(), policy->outputs(), network.discrete ? " choice" : "",
                                            spec.name, d, a, spec.discrete_actions > 0 ? " choice" : ""));
  std::vector<float> observations(n * d), successors(n * d), actions(n * a), rewards(n), terms(n * k), states(n * m);
  std::vector<std::uint8_t> terminated(n), truncated(n), ended(n);
  const std::size_t choices = spec.action_masks ? spec.discrete_actions : 0;
  std::vector<std::uint8_t> masks(n * choices);
  PolicyReturns result{std::vector<double>(n), std::vector<double>(n), std::vector<double>(k)};
  environment.reset(seed, observations);
  const std::size_t steps_max = spec.episode_steps_max > 0 ? spec.episode_steps_max : kContinuingSteps;
  for (std::size_t left = n, step = 0; left > 0 && step < steps_max; ++step) {
    if (choices > 0) environment.write_masks(masks);
    for (std::size_t i = 0; i < n; ++i) {
      const std::span<float> memory = std::span(states).subspan(i * m, m);  // of this episode alone
      std::ranges::copy(memory, policy->state().begin());
      policy->act(std::span(observations).subspan(i * d, d), std::span(actions).subspan(i * a, a),
                  std::span(masks).subspan(i * choices, choices));
      std::ranges::copy(policy->state(), memory.begin());
    }
    if (!std::ranges::all_of(actions, [](float action) { return std::isfinite(action); }))
      return fail(Errc::invalid_argument, "the policy's output is not finite");
    environment.step(actions, {observations, successors, rewards, terms, terminated, truncated});
    for (std::size_t i = 0; i < n; ++i) {
      if (ended[i] != 0) continue;
      result.returns[i] += static_cast<double>(rewards[i]);
      result.lengths[i] += 1.0;
      for (std::size_t term = 0; term < k; ++term)
        result.terms[term] += static_cast<double>(terms[i * k + term]) / static_cast<double>(n);
      ended[i] = terminated[i] | truncated[i];
      left -= ended[i];
    }
  }
  return result;
}

}  // namespace rltune::rl
