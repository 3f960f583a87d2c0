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
#include "rltune/experience/transition_builder.hpp"
#include "rltune/historian/decision_log.hpp"
#include "rltune/v1/control.pb.h"

namespace rltune::agent {

class DecisionTaker {
 public:
  DecisionTaker(OnlineLearner learner, experience::TransitionBuilder builder)
      : learner_(std::move(learner)), builder_(std::move(builder)) {}

  // The transition that was learnt from, if the decision ended one. Decisions come in the order of io's, each once.
  std::optional<experience::Transition> take(const historian::Decision& decision);
  // When the newest decision taken was made, on the wall clock.
  TimePoint taken() const noexcept { return taken_; }
  // What was decided until then does not count.
  void start_after(TimePoint wall_time) noexcept { taken_ = std::max(taken_, wall_time); }

  OnlineLearner& learner() noexcept { return learner_; }
  void archive(Archive& archive);

 private:
  OnlineLearner learner_;
  experience::TransitionBuilder builder_;
  TimePoint taken_{};
};

// What learning needs of the record that io keeps, from the event that it published with it.
historian::Decision decision_of(const v1::DecisionEvent& event, const config::Site& site);

}  // namespace rltune::agent
