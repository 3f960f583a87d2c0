// A Learner turns transitions into a policy. On-policy and off-policy, online beside a plant and offline
// from data: all stand behind this interface.
//
//   loop:  act(observations) -> actions;  plant;  observe(transitions);  update()
//
// Threads: one learner belongs to one thread (it may use Workers inside).
// Same seed, same transitions: the same bits on the same machine type, whatever the number of workers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/archive.hpp"
#include "rltune/base/error.hpp"
#include "rltune/env/space.hpp"
#include "rltune/nn/policy_network.hpp"
#include "rltune/rl/hyperparameters.hpp"
#include "rltune/rl/workers.hpp"

namespace rltune::rl {

// What n instances show before a step.
struct Situations {
  std::span<const float> observations;       // n x d
  std::span<const std::uint8_t> masks = {};  // n x discrete actions that are allowed; empty: all are
};

// One step of n instances, in their order; d observation variables, a actions (1 where they are discrete), c costs.
struct Transitions {
  std::span<const float> observations;            // n x d, before the step
  std::span<const float> actions;                 // n x a, as applied (act() may give values outside [-1, 1]: clip them
                                                  // on the way to the plant, pass them here as act() gave them)
  std::span<const float> rewards;                 // n
  std::span<const float> next_observations;       // n x d: the successor states, also where an episode ended
  std::span<const std::uint8_t> terminated;       // n: nothing follows; the value is 0
  std::span<const std::uint8_t> truncated;        // n: something follows that we do not see: bootstrap
  std::span<const float> costs = {};              // n x c, where LearnerOptions::costs says so
  std::span<const std::uint8_t> next_masks = {};  // n x discrete actions allowed in the successor states; empty: all.
                                                  // All are where an episode ended
};

// "train/critic_loss", ...: the names of Stable-Baselines3
using Metrics = std::map<std::string, double, std::less<>>;

class Learner {
 public:
  virtual ~Learner() = default;

  // Exploring actions, n x a; a discrete one is its index as a float. Algorithms that learn from their own behaviour
  // alone (PPO) demand that the next observe() brings what came of exactly these.
  virtual void act(const Situations& now, std::span<float> actions) = 0;

  // REQUIRES: n is LearnerOptions::instances, and row i continues the trajectory of row i before.
  virtual void observe(const Transitions& transitions) = 0;

  // Makes the gradient steps that are due; returns how many.
  virtual std::size_t update() = 0;

  // The deterministic policy as it stands: normalisation, mean action, squashing.
  virtual nn::NetworkDescription export_network() const = 0;
  // Starts from a trained policy. Errors: mismatch (shapes, activations).
  virtual Result<> import_network(const nn::NetworkDescription& network) = 0;

  // What the learner expects to come of these actions (n x a, in [-1, 1]) at these observations (n x d): the
  // lower of its critics. False where the algorithm has no values of actions: `values` then stay as they were.
  virtual bool action_values(std::span<const float> /*observations*/, std::span<const float> /*actions*/,
                             std::span<float> /*values*/) {
    return false;
  }

  // Of the last update(). A value that is not finite means that training diverged.
  virtual const Metrics& metrics() const = 0;

  // The whole state, written or restored: a learner that was restored continues to the same bits.
  virtual void archive(Archive& archive) = 0;
};

struct LearnerOptions {
  env::Space observation;            // bounds are a first guess of the normalisation
  std::size_t actions = 0;           // numbers an action is made of; 1 where it is discrete
  std::size_t discrete_actions = 0;  // > 0: an action is one of so many
  std::size_t costs = 0;             // constraints: costs that each transition brings
  std::size_t instances = 1;         // trajectories that arrive side by side
  std::uint64_t seed = 1;
  std::uint64_t steps_planned = 0;   // transitions of the whole training, for schedules; 0: unknown, rates stay
  std::shared_ptr<Workers> workers;  // none: one thread
};

// "sac", "ppo", "td3", "dqn"; offline: "bc", "td3-bc", "iql".
std::vector<std::string> algorithm_names();
// An offline algorithm learns from data that is there: observe() takes it in bulk, row after row of each trajectory,
// then every update() is one gradient step over all of it. Its n_timesteps and LearnerOptions::steps_planned count
// gradient steps, and its buffer must hold the data.
bool learns_offline(std::string_view algorithm);

// The hyperparameters of an algorithm with its defaults, then those of the plant. Errors: not_found (lists the names).
Result<Hyperparameters> default_hyperparameters(std::string_view algorithm, std::string_view plant);

// Errors: not_found (algorithm), invalid_argument (a hyperparameter).
Result<std::unique_ptr<Learner>> make_learner(std::string_view algorithm, const LearnerOptions& options,
                                              const Hyperparameters& hyperparameters);

// Durable, with a checksum. Errors: see Archive.
Result<> save(Learner& learner, const std::filesystem::path& path);
Result<> load(Learner& learner, const std::filesystem::path& path);

}  // namespace rltune::rl
