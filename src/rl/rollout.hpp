// What an on-policy learner keeps of its latest steps, and what it makes of them: generalised advantages (Schulman et
// al. 2016, arXiv 1506.02438). Tables are [step][instance].
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "rltune/nn/aligned.hpp"
#include "rltune/rl/learner.hpp"

namespace rltune::rl {

struct RolloutShape {
  std::size_t steps = 0, instances = 0;
  std::size_t observations = 0, actions = 0, costs = 0;
  std::size_t choices = 0;  // width of the action masks
};

class Rollout {
 public:
  enum End : std::uint8_t { goes_on, truncated, terminated };

  explicit Rollout(const RolloutShape& shape);

  std::size_t size() const noexcept { return shape.steps * shape.instances; }
  std::size_t row() const noexcept { return time * shape.instances; }  // first row of the step under way
  bool complete() const noexcept { return time == shape.steps; }

  void store_masks(std::span<const std::uint8_t> allowed);  // none: all are
  // Takes rewards, costs and ends of the step, whose other tables are the learner's to fill. Returns whether the values
  // of the successor states are needed (`next_values` of its row): an episode was cut, or the rollout is complete.
  bool store(const Transitions& transitions);

  // delta_t = r_t + gamma V(s_t+1) - V(s_t),  A_t = delta_t + gamma lambda A_t+1, both cut where an episode ended;
  // return_t = A_t + V(s_t). Then advantages get mean 0 and deviation 1.
  void estimate_advantages(double gamma, double lambda);

  // Of values against returns, for people to watch.
  double explained_variance() const;
  double mean_value() const;

  void archive(Archive& archive);

  const RolloutShape shape;
  std::size_t time = 0;
  nn::AlignedFloats observations, actions, log_probability, rewards, costs, values, next_values, advantages, returns;
  std::vector<std::uint8_t> ends, masks;

 private:
  void standardise_advantages();

  std::vector<double> ahead_;  // advantage of each instance's next step
};

}  // namespace rltune::rl
