// An Environment is a batch of independent Markov decision processes of one kind, stepped together
// (Sutton & Barto 2018, chapter 3). State inside is structure of arrays; what leaves is one row an
// instance, so that it lands in the learner's slab without a copy.
//
// Threads: one Environment belongs to one thread.
// Memory:  the constructor allocates; reset() and step() do not.
// Same seed, same trajectories, whatever the batch size: instance i draws from stream i.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rltune/base/archive.hpp"
#include "rltune/base/random.hpp"
#include "rltune/env/space.hpp"

namespace rltune::env {

struct EnvironmentSpec {
  std::string name;
  Space observation;                   // engineer's units; bounds are the normalising range
  Space action;                        // continuous: the policy's output, each in [low, high] = [-1, 1]
  std::size_t discrete_actions = 0;    // > 0: one integer action instead (action.size() is 1), given as a float 0..n-1
  bool action_masks = false;           // discrete only: not every action is allowed always, see write_masks()
  std::vector<Variable> reward_terms;  // the reward is their sum; units say what each counts
  std::vector<Variable> costs;         // what constraints bound: each at least 0, and 0 where its limit is kept
  std::size_t episode_steps_max = 0;   // truncation; 0 for a continuing task
};

// Where step() writes; n instances, d observation variables, k reward terms.
struct StepOutput {
  std::span<float> observations;        // n x d: after an automatic reset the first one of the new episode
  std::span<float> final_observations;  // n x d: the successor state, also where an episode ended
  std::span<float> rewards;             // n
  std::span<float> reward_terms;        // n x k, or empty when not wanted
  std::span<std::uint8_t> terminated;   // n: the task ended; its value is 0
  std::span<std::uint8_t> truncated;    // n: the clock ended it; bootstrap from final_observations
  std::span<float> costs = {};          // n x c of the spec's costs, or empty when not wanted
};

class Environment {
 public:
  virtual ~Environment() = default;
  virtual const EnvironmentSpec& spec() const noexcept = 0;
  virtual std::size_t size() const noexcept = 0;  // instances

  // Starts every instance anew from this seed; writes n x d observations.
  virtual void reset(std::uint64_t seed, std::span<float> observations) = 0;

  // Applies n x a actions (clipped to the action space), writes the outcome, resets ended instances.
  virtual void step(std::span<const float> actions, const StepOutput& out) = 0;

  // Which discrete actions are allowed at the observations that reset() or step() wrote last: n x discrete_actions, 1
  // or 0, at least one of each instance. Called only where the spec says action_masks.
  virtual void write_masks(std::span<std::uint8_t> allowed) const { std::ranges::fill(allowed, std::uint8_t{1}); }

  // The whole state, written or restored, random numbers included: a restored environment of the same make goes on
  // to the same bits. For checkpoints of training runs.
  virtual void archive(Archive& archive) = 0;
};

// Any of the choices that a mask allows, evenly. REQUIRES: it allows one.
inline std::size_t random_choice(Random& random, std::span<const std::uint8_t> allowed) {
  const auto count = std::ranges::count_if(allowed, [](std::uint8_t one) { return one != 0; });
  std::size_t left = random.below(static_cast<std::uint64_t>(count)), choice = 0;
  for (;; ++choice)
    if (allowed[choice] != 0 && left-- == 0) return choice;
}

}  // namespace rltune::env
