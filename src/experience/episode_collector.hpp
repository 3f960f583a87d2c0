// Joins transitions that follow each other into a data set's episodes.
#pragma once

#include <optional>

#include "rltune/dataset/dataset.hpp"
#include "rltune/experience/transition_builder.hpp"

namespace rltune::experience {

class EpisodeCollector {
 public:
  EpisodeCollector(const config::Site& site, const config::Agent& agent, const policy::Manifest& manifest,
                   std::string_view source);

  // Transitions come in the order of their time.
  void add(const Transition& transition);
  // Errors: not_found: there was none.
  Result<dataset::Dataset> finish();

 private:
  dataset::Dataset dataset_;
  std::optional<TimePoint> end_;  // of the newest transition
};

}  // namespace rltune::experience
