// The DecisionTaker makes transitions of io's decisions and learns from them. Where they come from does not matter: as
// io's events, or out of the decision log after a loss, they end in the same transitions in the same order.
//
// Threads: one taker belongs to one thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "online_learner.hpp"
#include "rltune/config/site.hpp"
#include "rltune/historian/decision_log.hpp"
#include "transition_builder.hpp"

namespace rltune::agent {

class DecisionTaker {
 public:
  DecisionTaker(OnlineLearner learner, TransitionBuilder builder)
      : learner_(std::move(learner)), builder_(std::move(builder)) {}

  // The transition that was learnt from, if the decision ended one. Decisions come in the order of io's, each once.
  std::optional<Transition> take(const v1::DecisionEvent& event);
  // When the newest decision taken was made, on the wall clock.
  TimePoint taken() const noexcept { return taken_; }
  // What was decided until then does not count.
  void start_after(TimePoint wall_time) noexcept { taken_ = std::max(taken_, wall_time); }

  OnlineLearner& learner() noexcept { return learner_; }
  void archive(Archive& archive);

 private:
  OnlineLearner learner_;
  TransitionBuilder builder_;
  TimePoint taken_{};
};

// The event that io published when it made this record. Of the tags' values those that the reward names are in it.
v1::DecisionEvent event_of(const historian::Decision& decision, const config::Site& site);

}  // namespace rltune::agent
