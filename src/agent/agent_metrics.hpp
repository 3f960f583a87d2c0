// What an agent tells Prometheus of its decisions and of the data they are made of. One call a decision: atomics that
// neither lock, allocate nor throw.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "rltune/config/site.hpp"
#include "rltune/controllers/controller.hpp"
#include "rltune/metrics/registry.hpp"
#include "rltune/pipeline/pipeline.hpp"

namespace rltune::agent {

class AgentMetrics {
 public:
  // `elements`: the names of the pipeline's elements, in its order.
  AgentMetrics(metrics::Registry& registry, std::span<const std::string> elements);

  void decided(controllers::Outcome outcome, std::span<const pipeline::TagValue> judged, Duration took) noexcept;
  void attached() noexcept { attached_.add(); }
  void refused() noexcept { refused_.add(); }
  void candidate_acts() noexcept { activated_.add(); }
  void candidate_waits() noexcept { waiting_.add(); }

 private:
  std::array<metrics::Counter*, 3> outcomes_{};  // by controllers::Outcome
  std::array<metrics::Gauge*, 8> conditions_{};  // by bit of pipeline::Health
  std::vector<metrics::Gauge*> usable_;          // by element
  metrics::Histogram& took_;
  metrics::Gauge& last_;
  metrics::Counter &attached_, &refused_, &activated_, &waiting_;
};

}  // namespace rltune::agent
