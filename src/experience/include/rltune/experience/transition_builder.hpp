// The TransitionBuilder makes transitions of what io applied: state, action, reward, next state. What a
// person, the DCS, an interlock or the fallback did is left out, and so is what it did not see whole. A learner beside
// the loop and a data set made of the decision log learn from the same transitions.
//
// The reward is the site's expression less its costs, over tag names, at the decision after the action. A
// set-point's value there is the one in force in the period that ended; previous(x) is x one decision before.
//
// Threads: one builder belongs to one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rltune/base/archive.hpp"
#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"
#include "rltune/config/expression.hpp"
#include "rltune/config/site.hpp"
#include "rltune/env/history.hpp"
#include "rltune/historian/decision_log.hpp"
#include "rltune/policy/artifact.hpp"

namespace rltune::experience {

struct Transition {
  std::vector<float> observation, action, next_observation;
  double reward = 0.0;
  std::map<std::string, double> parts;  // "reward", and each cost by its name
  TimePoint from{}, time{};             // of the decisions that begin it and end it
};

class TransitionBuilder {
 public:
  // Errors: those of the expressions, with the field's name; not_found: an output without a tag.
  static Result<TransitionBuilder> create(const config::Site& site, const config::Agent& agent,
                                          const policy::Manifest& manifest);

  // The transition that this decision completes. Decisions come in the order in which io made them; of what was seen
  // the tags that the reward names matter.
  std::optional<Transition> add(const historian::Decision& decision);
  // The tags that the reward and its costs name, as indices into the site's.
  std::vector<std::size_t> rewarded() const;
  // The decision that waits for its successor. One that does not fit the site as it is now is left out.
  void archive(Archive& archive);

 private:
  struct Moment {
    TimePoint time{};
    std::vector<float> observation;
    std::vector<double> in_force, applied;  // by the policy's inputs
    std::vector<double> values;             // by tag, as seen; NaN where no term names it
    bool learnable = false;                 // applied by the loop, and nothing came between
  };
  struct Term {
    std::string name;
    config::Expression expression;
    double sign = 1.0;
  };

  TransitionBuilder() = default;
  Moment moment_of(const historian::Decision& decision) const;
  std::vector<float> action_of(const Moment& moment) const;
  bool ours(const historian::Decision& decision) const;
  bool follows(const Moment& next) const;
  bool remembered(const Moment& next) const;
  std::optional<Transition> transition_to(const Moment& next);

  std::string agent_;
  Duration period_{};
  env::ActionLayout layout_;
  std::size_t observations_ = 0;
  std::optional<env::History> history_;  // where the policy sees some
  std::vector<std::string> tags_;        // the site's
  std::vector<std::size_t> input_tags_;  // by the policy's inputs
  std::map<std::string, std::size_t> input_of_tag_;
  std::vector<Term> terms_;
  std::vector<bool> named_;  // by tag: a term names it
  std::optional<Moment> previous_;
};

}  // namespace rltune::experience
