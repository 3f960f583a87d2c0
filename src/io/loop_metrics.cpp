#include "loop_metrics.hpp"

#include <cmath>

namespace rltune::io {
namespace {

constexpr std::array kQualities{"good", "uncertain", "bad"};
constexpr std::array kOrigins{"policy", "fallback", "interlock", "manual"};
constexpr std::array kInCharge{"policy", "fallback", "others"};
constexpr std::array kActions{guard::Action::accepted, guard::Action::clamped, guard::Action::held,
                              guard::Action::fallback, guard::Action::withheld};
constexpr std::array kModes{guard::Mode::manual, guard::Mode::shadow, guard::Mode::advisory, guard::Mode::automatic};
constexpr const char* kDecisions = "rltune_agent_performance_decisions_total";
constexpr const char* kDecisionsHelp = "Decisions on record, by who made them";

double unix_seconds(TimePoint time) noexcept { return to_seconds(time.time_since_epoch()); }

}  // namespace

LoopMetrics::LoopMetrics(metrics::Registry& registry, const config::Site& site)
    : manual_(registry.counter(kDecisions, kDecisionsHelp, {{"agent", ""}, {"origin", "manual"}})),
      proposal_(registry.histogram("rltune_agent_performance_proposal_seconds",
                                   "From an observation to the agent's proposal")),
      verdict_(registry.histogram("rltune_agent_performance_verdict_seconds", "The guard's judgement of a decision")),
      write_(registry.histogram("rltune_process_data_write_seconds",
                                "From a write to the plant's word, the reading back included")),
      sample_to_write_(registry.histogram("rltune_agent_performance_sample_to_write_seconds",
                                          "From the sample that opened a decision to its write")),
      connected_(registry.gauge("rltune_data_health_plant_connected", "1 while the plant is connected and answers")),
      reconnects_(registry.counter("rltune_data_health_plant_reconnects_total", "Times the plant came back")),
      overflows_(registry.counter("rltune_data_health_overflows_total",
                                  "Samples that the server or the link's queue dropped")),
      writes_failed_(registry.counter("rltune_data_health_writes_failed_total", "Writes that the plant did not take")),
      stored_(registry.counter("rltune_process_data_samples_stored_total", "Samples committed to the historian")),
      dropped_(registry.counter("rltune_process_data_samples_dropped_total", "Samples a full queue lost")),
      removed_(registry.counter(metrics::kRemoved, metrics::kRemovedHelp, {{"store", "decisions"}})),
      decisions_stored_(registry.counter("rltune_process_data_decisions_stored_total",
                                         "Decisions committed to the decision log since io's start")),
      waiting_(registry.gauge("rltune_process_data_samples_waiting", "Samples on their way to the historian")),
      decisions_waiting_(registry.gauge("rltune_process_data_decisions_waiting", "Decisions on their way to the log")),
      bytes_(registry.gauge("rltune_process_data_historian_bytes", "Size of the historian's database and its log")),
      free_(registry.gauge("rltune_process_data_disk_free_bytes", "Free space where the historian writes")) {
  for (std::size_t i = 0; i < kQualities.size(); ++i)
    samples_[i] = &registry.counter("rltune_data_health_samples_total", "Samples from the plant, by their quality",
                                    {{"quality", kQualities[i]}});
  for (std::size_t i = 0; i < kModes.size(); ++i)
    modes_[i] =
        &registry.gauge("rltune_agent_health_mode", "1 for the mode in force", {{"mode", to_string(kModes[i])}});
  for (const config::Tag& tag : site.tags)
    tags_.push_back(
        {&registry.gauge("rltune_process_data_tag_value",
                         "Latest good value of a tag, in the unit that its label names",
                         {{"tag", tag.name}, {"unit", tag.unit}}),
         &registry.gauge("rltune_process_data_tag_timestamp_seconds",
                         "When the latest sample of a tag arrived, seconds since 1970", {{"tag", tag.name}})});
  for (const TagGauges& tag : tags_) tag.value->set(std::nan(""));
  for (const config::Agent& agent : site.agents) add_agent(registry, site, agent);
}

void LoopMetrics::add_agent(metrics::Registry& registry, const config::Site& site, const config::Agent& agent) {
  Agent made;
  const metrics::Label id{"agent", agent.id};
  for (std::size_t i = 0; i < kActions.size(); ++i)
    made.actions[i] =
        &registry.counter("rltune_agent_performance_verdicts_total", "The guard's verdicts on an agent's outputs",
                          {id, {"action", to_string(kActions[i])}});
  for (std::size_t bit = 0; bit < guard::kReasonCount; ++bit)
    made.reasons[bit] = &registry.counter("rltune_agent_performance_verdict_reasons_total",
                                          "Why the guard changed, held or withheld what an agent's outputs were to be",
                                          {id, {"reason", guard::describe(1U << bit)}});
  for (std::size_t i = 0; i < kOrigins.size(); ++i)
    made.origins[i] = &registry.counter(kDecisions, kDecisionsHelp, {id, {"origin", kOrigins[i]}});
  made.attached = &registry.gauge("rltune_agent_health_attached", "1 once the agent has attached to io", {id});
  made.lost = &registry.gauge("rltune_agent_health_lost",
                              "1 while the agent is silent: its outputs are held, or its fallback runs", {id});
  made.last = &registry.gauge("rltune_agent_health_last_decision_timestamp_seconds",
                              "When the agent itself last decided, seconds since 1970", {id});
  add_value(registry, site, agent, made);
  agents_.push_back(std::move(made));
}

void LoopMetrics::add_value(metrics::Registry& registry, const config::Site& site, const config::Agent& agent,
                            Agent& out) {
  const config::Learning& learning = agent.learning;
  if (learning.reward.empty()) return;
  std::vector<std::string> names;
  for (const config::Tag& tag : site.tags) names.push_back(tag.name);
  const metrics::Label id{"agent", agent.id};
  // The site's loading has compiled each of them before.
  if (auto reward = config::Expression::compile(learning.reward, names))
    out.terms.push_back({std::move(*reward), 1.0, nullptr});
  for (const auto& [name, text] : learning.costs)
    if (auto cost = config::Expression::compile(text, names))
      out.terms.push_back({std::move(*cost), -1.0,
                           &registry.gauge("rltune_business_value_cost_spent",
                                           "Sum of a cost of learning.costs since io's start, in the site's own unit",
                                           {id, {"part", name}})});
  for (std::size_t i = 0; i < in_charge_count; ++i) {
    const metrics::Labels labels{id, {"in_charge", kInCharge[i]}};
    out.reward[i] =
        &registry.gauge("rltune_business_value_reward_earned",
                        "Sum of learning.reward less its costs since io's start, in the site's own unit", labels);
    out.periods[i] =
        &registry.counter("rltune_business_value_periods_total", "Periods between decisions that were valued", labels);
  }
  out.unknown = &registry.counter("rltune_business_value_unknown_total",
                                  "Periods without a value: a tag of the reward was bad at either end", {id});
  out.baseline = learning.baseline_reward;
  if (out.baseline != 0.0)
    out.gain = &registry.gauge("rltune_business_value_gain_earned",
                               "What the policy's periods earned beyond learning.baseline_reward each", {id});
  out.values.assign(names.size(), std::nan(""));
  out.previous = out.values;
}

void LoopMetrics::sample(const Sample& sample) noexcept {
  samples_[std::min<std::size_t>(static_cast<std::size_t>(sample.quality), samples_.size() - 1)]->add();
  if (sample.tag >= tags_.size() || sample.element != 0) return;
  if (sample.quality == Quality::good) tags_[sample.tag].value->set(sample.value);
  tags_[sample.tag].time->set(unix_seconds(sample.received_time));
}

void LoopMetrics::written(Duration since_sample, Duration write) noexcept {
  sample_to_write_.observe(to_seconds(since_sample));
  written(write);
}

void LoopMetrics::period_ends(std::size_t index, std::span<const Sample> latest) noexcept {
  if (index >= agents_.size() || agents_[index].terms.empty()) return;
  Agent& agent = agents_[index];
  for (std::size_t tag = 0; tag < latest.size() && tag < agent.values.size(); ++tag)
    agent.values[tag] = latest[tag].quality == Quality::good ? latest[tag].value : std::nan("");
}

double LoopMetrics::count_value(Agent& agent) noexcept {
  double total = 0.0;
  for (Term& term : agent.terms) {
    const double value = term.expression.evaluate(agent.values, agent.previous);
    total += term.sign * value;
    if (term.sum != nullptr && std::isfinite(value)) term.sum->add(value);
  }
  if (!std::isfinite(total)) {
    agent.unknown->add();
    return std::nan("");
  }
  agent.reward[agent.in_charge]->add(total);
  agent.periods[agent.in_charge]->add();
  if (agent.gain != nullptr && agent.in_charge == policy) agent.gain->add(total - agent.baseline);
  return agent.in_charge == policy ? total : std::nan("");
}

double LoopMetrics::decided(std::size_t index, std::string_view origin, bool automatic, TimePoint wall) noexcept {
  if (index >= agents_.size()) {
    manual_.add();
    return std::nan("");
  }
  Agent& agent = agents_[index];
  for (std::size_t i = 0; i < kOrigins.size(); ++i)
    if (origin == kOrigins[i]) agent.origins[i]->add();
  if (origin == kOrigins[policy]) agent.last->set(unix_seconds(wall));
  // An interlock acts within a period and ends none.
  if (agent.terms.empty() || (origin != kOrigins[policy] && origin != kOrigins[fallback])) return std::nan("");
  const double earned = agent.seen ? count_value(agent) : std::nan("");
  agent.seen = true;
  std::ranges::copy(agent.values, agent.previous.begin());
  agent.in_charge = !automatic ? others : origin == kOrigins[policy] ? policy : fallback;
  return earned;
}

void LoopMetrics::judged(std::size_t agent, const guard::OutputVerdict& verdict) noexcept {
  if (agent >= agents_.size()) return;
  for (std::size_t i = 0; i < kActions.size(); ++i)
    if (kActions[i] == verdict.action) agents_[agent].actions[i]->add();
  for (std::size_t bit = 0; bit < guard::kReasonCount; ++bit)
    if ((verdict.reasons >> bit & 1U) != 0) agents_[agent].reasons[bit]->add();
}

void LoopMetrics::agent_is(std::size_t agent, bool attached, bool lost) noexcept {
  agents_[agent].attached->set(attached ? 1.0 : 0.0);
  agents_[agent].lost->set(lost ? 1.0 : 0.0);
}

void LoopMetrics::link(const plant::LinkStatus& status) noexcept {
  connected_.set(status.state == plant::LinkState::connected ? 1.0 : 0.0);
  reconnects_.follow(static_cast<double>(status.reconnects));
  overflows_.follow(static_cast<double>(status.overflows));
  writes_failed_.follow(static_cast<double>(status.writes_failed));
}

void LoopMetrics::stores(const historian::Status& samples, const historian::DecisionLogStatus& decisions) noexcept {
  stored_.follow(static_cast<double>(samples.samples_committed));
  dropped_.follow(static_cast<double>(samples.samples_dropped));
  waiting_.set(static_cast<double>(samples.samples_waiting));
  bytes_.set(static_cast<double>(samples.bytes_database + samples.bytes_wal));
  free_.set(static_cast<double>(samples.bytes_free));
  removed_.follow(static_cast<double>(decisions.removed));
  decisions_stored_.follow(static_cast<double>(decisions.committed));
  decisions_waiting_.set(static_cast<double>(decisions.waiting));
}

void LoopMetrics::mode(guard::Mode mode) noexcept {
  for (std::size_t i = 0; i < kModes.size(); ++i) modes_[i]->set(kModes[i] == mode ? 1.0 : 0.0);
}

}  // namespace rltune::io
