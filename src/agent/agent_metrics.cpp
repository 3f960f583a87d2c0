#include "agent_metrics.hpp"

#include "rltune/base/clock.hpp"

namespace rltune::agent {
namespace {

constexpr std::array kOutcomes{controllers::Outcome::ok, controllers::Outcome::hold, controllers::Outcome::fault};
constexpr std::array kOutcomeNames{"ok", "hold", "fault"};
constexpr std::array kConditions{"missing", "bad_quality", "out_of_range", "spike",
                                 "stale",   "frozen",      "not_finite",   "imputed"};
constexpr const char* kCandidates = "rltune_agent_performance_candidates_total";
constexpr const char* kCandidatesHelp = "Weights that the learner offered, by what became of them";

}  // namespace

AgentMetrics::AgentMetrics(metrics::Registry& registry, std::span<const std::string> elements)
    : took_(registry.histogram("rltune_agent_performance_decision_seconds", "From judging the inputs to a proposal")),
      last_(registry.gauge("rltune_agent_health_last_proposal_timestamp_seconds",
                           "When the agent last proposed, seconds since 1970")),
      attached_(registry.counter("rltune_agent_health_attached_total", "Times the agent attached to io")),
      refused_(registry.counter("rltune_agent_performance_proposals_refused_total", "Proposals that io did not take")),
      activated_(registry.counter(kCandidates, kCandidatesHelp, {{"outcome", "acts"}})),
      waiting_(registry.counter(kCandidates, kCandidatesHelp, {{"outcome", "waits"}})) {
  for (std::size_t i = 0; i < kOutcomes.size(); ++i)
    outcomes_[i] =
        &registry.counter("rltune_agent_performance_outcomes_total", "Decisions by what the policy made of its inputs",
                          {{"outcome", kOutcomeNames[i]}});
  for (std::size_t i = 0; i < kConditions.size(); ++i)
    conditions_[i] = &registry.gauge("rltune_data_health_tags", "Values in this condition at the last decision",
                                     {{"condition", kConditions[i]}});
  for (const std::string& element : elements)
    usable_.push_back(&registry.gauge("rltune_data_health_tag_usable",
                                      "1 where the last decision could use the value, as it is or imputed",
                                      {{"tag", element}}));
}

void AgentMetrics::decided(controllers::Outcome outcome, std::span<const pipeline::TagValue> judged,
                           Duration took) noexcept {
  for (std::size_t i = 0; i < kOutcomes.size(); ++i)
    if (kOutcomes[i] == outcome) outcomes_[i]->add();
  took_.observe(to_seconds(took));
  last_.set(to_seconds(WallClock().now().time_since_epoch()));
  std::array<double, kConditions.size()> counts{};
  for (std::size_t element = 0; element < judged.size() && element < usable_.size(); ++element) {
    usable_[element]->set(judged[element].usable ? 1.0 : 0.0);
    for (std::size_t bit = 0; bit < counts.size(); ++bit)
      if ((judged[element].health >> bit & 1U) != 0) counts[bit] += 1.0;
  }
  for (std::size_t bit = 0; bit < counts.size(); ++bit) conditions_[bit]->set(counts[bit]);
}

}  // namespace rltune::agent
