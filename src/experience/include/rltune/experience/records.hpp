// Data sets made of what a site recorded, in the terms of a policy's artifact: what it would have observed, the action
// that came to be, and the reward of the site's expression.
//
// An episode is a stretch in which every decision follows the one before: where a decision is missing, was not applied
// as the loop meant it, or where a value was bad, the episode ends (truncated: the plant went on) and another begins.
#pragma once

#include <chrono>
#include <cstddef>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"
#include "rltune/config/site.hpp"
#include "rltune/dataset/dataset.hpp"
#include "rltune/policy/artifact.hpp"

namespace rltune::experience {

struct RecordsOptions {
  // [from, to) on the site's clock
  TimePoint from{}, to = std::chrono::sys_days{std::chrono::year{2200} / 1 / 1};
  std::size_t newest = 500'000;  // decisions: memory bounds them
  bool any_policy = false;       // also what other weights than the artifact's decided: learnt on site, or before it
};

struct Gathered {
  dataset::Dataset dataset;
  std::size_t rows = 0;               // decisions of the agent, or periods, in the range
  std::size_t not_learnable = 0;      // shadow, advice, holds, values that were not good, not applied as meant
  std::size_t of_other_policies = 0;  // left out
};

// Of the decision log. Values of the reward's tags that the log does not hold are looked up in the historian's samples.
// Errors: those of the log, the historian and the reward's expressions; not_found: nothing in it is a transition.
Result<Gathered> decisions_dataset(const config::Site& site, const config::Agent& agent,
                                   const policy::Artifact& artifact, const RecordsOptions& options);

// Of the historian's samples: a row a period of the agent, whoever set the outputs. The action is the mean over time of
// the set-point in the period. A period in which samples are missing is a break.
// Errors: those of the historian, the pipeline and the reward's expressions; not_found: nothing in it is a transition.
Result<Gathered> history_dataset(const config::Site& site, const config::Agent& agent, const policy::Artifact& artifact,
                                 const RecordsOptions& options);

}  // namespace rltune::experience
