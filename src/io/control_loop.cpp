#include "rltune/io/control_loop.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <set>

#include "loop_metrics.hpp"
#include "rltune/base/check.hpp"
#include "rltune/base/id.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/trace.hpp"
#include "rltune/config/expression.hpp"

namespace rltune::io {
namespace {

constexpr Duration kSupervisionPeriod = std::chrono::milliseconds(100);
constexpr Duration kLockstepTimeout = std::chrono::seconds(1);
constexpr Duration kStuckAfter = std::chrono::milliseconds(500);
constexpr Duration kValuesPatience = std::chrono::seconds(1);  // of a plant that is back, in lockstep
// What a step of the plant's clock waits for an agent that has not attached since we started: both were started just
// now, or it has yet to notice that our predecessor died.
constexpr Duration kAttachPatience = std::chrono::seconds(5);
// From an agent's last moment to the fallback's first write: a tick, the decision, the write, a busy machine.
constexpr Duration kNoticing = std::chrono::milliseconds(50);

constexpr std::string_view kInterlockOrigin = "interlock";
constexpr auto kInterlock = static_cast<std::uint32_t>(guard::Reason::interlock);

bool goes_to_plant(guard::Action action) noexcept {
  return action == guard::Action::accepted || action == guard::Action::clamped || action == guard::Action::fallback;
}

// Whoever takes over has to have acted within the limit, so the wait ends short of it.
Duration agent_timeout(const config::Site& site, const config::Agent& agent) {
  if (site.clock == config::ClockKind::plant && agent.agent_alive_timeout_s <= 0.0) return kLockstepTimeout;
  const Duration limit =
      from_seconds(agent.agent_alive_timeout_s > 0.0 ? agent.agent_alive_timeout_s : 2.0 * agent.period_s + 0.5);
  return limit - std::min<Duration>(limit / 10, kNoticing);
}

// How long ago the link took them from the wire; zero where the clocks tell nothing sensible.
Duration age_of(std::span<const Sample> samples, TimePoint now) noexcept {
  if (samples.empty()) return {};
  const Duration age = now - samples.front().received_time;
  return age > Duration::zero() && age < std::chrono::seconds(1) ? age : Duration::zero();
}

// The tags whose values a decision's record keeps, so that learning can be done again from it.
std::vector<std::size_t> rewarded_tags(const config::Site& site, const config::Learning& learning) {
  if (!learning.enabled) return {};
  std::vector<std::string> names, texts{learning.reward};
  for (const config::Tag& tag : site.tags) names.push_back(tag.name);
  for (const auto& [name, text] : learning.costs) texts.push_back(text);
  std::set<std::size_t> tags;
  for (const std::string& text : texts) {
    const auto expression = config::Expression::compile(text, names);
    if (!expression) continue;  // the learner refuses it with its name
    tags.insert(expression->used().begin(), expression->used().end());
    tags.insert(expression->used_previous().begin(), expression->used_previous().end());
  }
  return {tags.begin(), tags.end()};
}

std::int64_t unix_ns(TimePoint time) noexcept { return time.time_since_epoch().count(); }

}  // namespace

ControlLoop::ControlLoop(const Parts& parts) : parts_(parts), barrier_(parts.site) {
  const config::Site& site = parts_.site;
  std::size_t elements = 0;
  for (const config::Tag& tag : site.tags) {
    element_offset_.push_back(elements);
    elements += tag.elements;
  }
  latest_.resize(site.tags.size());
  latest_elements_.resize(elements);
  for (std::size_t tag = 0; tag < latest_.size(); ++tag) {
    latest_[tag].tag = static_cast<std::uint32_t>(tag);
    latest_[tag].value = std::nan("");
  }
  for (std::size_t tag = 0; tag < site.tags.size(); ++tag)
    for (std::size_t element = 0; element < site.tags[tag].elements; ++element)
      latest_elements_[element_offset_[tag] + element] = {.tag = static_cast<std::uint32_t>(tag),
                                                          .element = static_cast<std::uint32_t>(element),
                                                          .value = std::nan("")};

  const std::size_t outputs = site.guard.outputs.size();
  RLTUNE_CHECK(outputs == parts_.guard.outputs());
  for (std::size_t output = 0; output < outputs; ++output) {
    output_tags_.push_back(parts_.guard.output_tag(output));
    all_outputs_.push_back(output);
  }
  find_rules();
  proposals_.resize(outputs);
  fallback_.resize(outputs);
  verdicts_.resize(outputs);
  output_outcomes_.resize(outputs);
  output_written_.resize(outputs);
  write_tags_.reserve(outputs);
  write_values_.reserve(outputs);
  write_outputs_.reserve(outputs);
  outcomes_.resize(outputs + 2);

  const Duration now = parts_.clock.steady();
  for (const config::Agent& agent : site.agents) {
    AgentState state;
    state.timeout = agent_timeout(site, agent);
    state.period = from_seconds(agent.period_s);
    state.last_proposal = now;
    state.instances = InstanceTable(agent.id);
    state.rewarded = rewarded_tags(site, agent.learning);
    for (const std::string& name : agent.outputs) {
      const auto tag = site.find_tag(name).value();
      state.outputs.push_back(static_cast<std::size_t>(std::ranges::find(output_tags_, tag) - output_tags_.begin()));
    }
    agents_.push_back(std::move(state));
  }
}

// The site lists its rules in any order.
void ControlLoop::find_rules() {
  const std::vector<config::OutputRule>& rules = parts_.site.guard.outputs;
  output_rules_.clear();
  for (const std::size_t tag : output_tags_)
    output_rules_.push_back(static_cast<std::size_t>(
        std::ranges::find(rules, parts_.site.tags[tag].name, &config::OutputRule::tag) - rules.begin()));
}

void ControlLoop::rules_changed() {
  find_rules();
  for (std::size_t i = 0; i < agents_.size(); ++i)
    agents_[i].timeout = agent_timeout(parts_.site, parts_.site.agents[i]);
}

TimePoint ControlLoop::site_now() const noexcept {
  return parts_.site.clock == config::ClockKind::plant ? barrier_.time() : parts_.clock.now();
}

Result<std::size_t> ControlLoop::find_agent(const std::string& id) const {
  for (std::size_t agent = 0; agent < parts_.site.agents.size(); ++agent)
    if (parts_.site.agents[agent].id == id) return agent;
  return fail(Errc::not_found, std::format("the site has no agent '{}'", id));
}

// ---- samples ------------------------------------------------------------------------------------------

void ControlLoop::keep_latest(const Sample& sample) noexcept {
  if (sample.tag >= latest_.size() || sample.element >= parts_.site.tags[sample.tag].elements) return;
  Sample& element = latest_elements_[element_offset_[sample.tag] + sample.element];
  if (sample.source_time < element.source_time) return;  // backfilled history
  element = sample;
  if (sample.element == 0) latest_[sample.tag] = sample;
}

void ControlLoop::on_samples(std::span<const Sample> samples) {
  batch_received_ = parts_.clock.steady() - age_of(samples, parts_.clock.now());
  samples_ += samples.size();
  std::size_t published = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    keep_latest(samples[i]);
    if (parts_.metrics) parts_.metrics->sample(samples[i]);
    if (!barrier_.add(samples[i])) continue;
    publish(samples.subspan(published, i + 1 - published), true);
    published = i + 1;
    open_cycle();
  }
  if (published < samples.size()) publish(samples.subspan(published), false);
  for (const auto& fallback : parts_.fallbacks)
    if (fallback) fallback->add(samples);
  parts_.historian.append(samples);
}

void ControlLoop::fill_batch(v1::SampleBatch& batch, std::span<const Sample> samples) const {
  for (const Sample& sample : samples) {
    v1::Sample& out = *batch.add_samples();
    out.set_tag(sample.tag);
    out.set_element(sample.element);
    out.set_value(sample.value);
    out.set_source_unix_ns(unix_ns(sample.source_time));
    out.set_received_unix_ns(unix_ns(sample.received_time));
    out.set_quality(static_cast<std::uint32_t>(sample.quality));
    out.set_status(sample.status);
  }
  batch.set_now_unix_ns(unix_ns(site_now()));
  batch.set_received_steady_ns(batch_received_.count());
}

void ControlLoop::publish(std::span<const Sample> samples, bool complete) {
  v1::SampleBatch batch;
  fill_batch(batch, samples);
  batch.set_sequence(++sequence_);
  batch.set_complete(complete);
  parts_.events.samples(batch);
}

// ---- one decision -------------------------------------------------------------------------------------

guard::GuardInput ControlLoop::guard_input(std::size_t agent, bool interlocks_only) const noexcept {
  const bool known = agent < agents_.size();
  return {.now = site_now(),
          .tags = latest_,
          .proposals = proposals_,
          .fallback = fallback_,
          .agent = static_cast<std::uint32_t>(agent),
          .agent_alive = known && !agents_[agent].lost,
          .link_up = parts_.link.status().state == plant::LinkState::connected,
          .interlocks_only = interlocks_only};
}

void ControlLoop::take_proposal(const v1::Proposal& proposal, AgentState& agent) {
  std::ranges::fill(proposals_, guard::OutputProposal{});
  std::ranges::fill(fallback_, guard::OutputProposal{});
  const bool usable = proposal.outcome() == static_cast<std::uint32_t>(controllers::Outcome::ok) &&
                      (agent.instances.validated() || parts_.guard.mode() != guard::Mode::automatic);
  for (std::size_t i = 0; i < agent.outputs.size(); ++i)
    proposals_[agent.outputs[i]] = {.value = proposal.values(static_cast<int>(i)), .present = usable};
}

// The site's word, not the agent's: one that was started with an earlier configuration may think otherwise, and in a
// coupled group a second explorer would spoil what the first one learns.
bool ControlLoop::may_explore(std::size_t index, const v1::Proposal& proposal) const noexcept {
  if (proposal.explored_size() == 0) return true;
  const config::Agent& agent = parts_.site.agents[index];
  if (static_cast<std::size_t>(proposal.explored_size()) != agent.outputs.size()) return false;
  for (int i = 0; i < proposal.explored_size(); ++i) {
    if (proposal.explored(i) == 0.0) continue;
    const auto range = agent.learning.explore_within.find(agent.outputs[static_cast<std::size_t>(i)]);
    if (!agent.learning.explore || range == agent.learning.explore_within.end()) return false;
    if (!(proposal.values(i) >= range->second.low && proposal.values(i) <= range->second.high)) return false;
  }
  return true;
}

void ControlLoop::judge(std::size_t agent, Cycle& cycle) {
  const Duration before = parts_.clock.steady();
  cycle.judged_at = before;
  parts_.guard.decide(guard_input(agent, cycle.origin == kInterlockOrigin), verdicts_);
  cycle.verdict = parts_.clock.steady() - before;
  verdict_time_.add(cycle.verdict);
  if (parts_.metrics) parts_.metrics->verdict(cycle.verdict);
  // An interlock is looked at ten times a second and ends no period.
  if (parts_.metrics && cycle.origin != kInterlockOrigin) parts_.metrics->period_ends(agent, latest_);
  for (const std::size_t output : cycle.outputs) verdicts_[output].reasons |= cycle.extra_reasons;
}

void ControlLoop::apply(Cycle& cycle) {
  write_tags_.clear();
  write_values_.clear();
  write_outputs_.clear();
  for (const std::size_t output : cycle.outputs) {
    output_written_[output] = 0;
    output_outcomes_[output] = {};
    if (!goes_to_plant(verdicts_[output].action)) continue;
    write_tags_.push_back(static_cast<std::uint32_t>(output_tags_[output]));
    write_values_.push_back(verdicts_[output].value);
    write_outputs_.push_back(output);
  }
  if (write_tags_.empty()) return;

  const Duration before = parts_.clock.steady();
  cycle.written_at = before;
  cycle.sample_to_write = before - cycle.received;
  const std::span<plant::WriteOutcome> outcomes(outcomes_.data(), write_tags_.size());
  std::ranges::fill(outcomes, plant::WriteOutcome{});
  parts_.link.write(write_tags_, write_values_, outcomes);
  cycle.write = parts_.clock.steady() - before;
  const bool opened_by_sample = cycle.proposal != nullptr && cycle.received.count() > 0;
  if (opened_by_sample) sample_to_write_.add(cycle.sample_to_write);
  write_time_.add(cycle.write);
  if (parts_.metrics && opened_by_sample)
    parts_.metrics->written(cycle.sample_to_write, cycle.write);
  else if (parts_.metrics)
    parts_.metrics->written(cycle.write);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    output_outcomes_[write_outputs_[i]] = outcomes[i];
    if (!outcomes[i].accepted) continue;
    output_written_[write_outputs_[i]] = 1;
    note_set_point(write_outputs_[i], outcomes[i].verified ? outcomes[i].read_back : write_values_[i]);
  }
}

// The plant has this value now: the base of the next rate limit, and what agents see as applied.
void ControlLoop::note_set_point(std::size_t output, double value) {
  const TimePoint now = site_now();
  parts_.guard.applied(output, value, now);
  // A wall clock that was set back must not make what was written now older than what stood there before.
  const Sample sample{.tag = static_cast<std::uint32_t>(output_tags_[output]),
                      .value = value,
                      .source_time = std::max(now, latest_[output_tags_[output]].source_time),
                      .received_time = parts_.clock.now(),
                      .quality = Quality::good};
  keep_latest(sample);
  for (const auto& fallback : parts_.fallbacks)
    if (fallback) fallback->add({&sample, 1});
  publish({&sample, 1}, false);
}

historian::Decision ControlLoop::make_record(const Cycle& cycle, const v1::DecisionEvent& event) const {
  historian::Decision decision;
  decision.id = event.id();
  decision.agent = cycle.agent;
  decision.origin = cycle.origin;
  decision.user = cycle.user;
  decision.reason = cycle.reason;
  decision.mode = static_cast<std::uint8_t>(parts_.guard.mode());
  decision.time = site_now();
  decision.wall_time = TimePoint(Duration(event.wall_unix_ns()));
  decision.learnable = event.learnable();
  if (const v1::Proposal* proposal = cycle.proposal) {
    decision.correlation_id = proposal->correlation_id();
    decision.policy_sha256 = proposal->policy_sha256();
    decision.observation.assign(proposal->observation().begin(), proposal->observation().end());
    decision.previous_inputs.assign(proposal->previous_inputs().begin(), proposal->previous_inputs().end());
    decision.network_output.assign(proposal->network_output().begin(), proposal->network_output().end());
    decision.recurrent_state.assign(proposal->recurrent_state().begin(), proposal->recurrent_state().end());
    decision.proposal = Duration(proposal->proposal_ns());
    for (const std::size_t tag : agents_[find_agent(cycle.agent).value()].rewarded)
      decision.seen.push_back({parts_.site.tags[tag].name, event.values(static_cast<int>(element_offset_[tag]))});
  }
  for (const std::size_t output : cycle.outputs) {
    const guard::OutputVerdict& verdict = verdicts_[output];
    decision.outputs.push_back({.tag = parts_.site.tags[output_tags_[output]].name,
                                .proposed = proposals_[output].value,
                                .present = proposals_[output].present,
                                .applied = latest_[output_tags_[output]].value,
                                .action = static_cast<std::uint8_t>(verdict.action),
                                .reasons = verdict.reasons,
                                .written = output_written_[output] != 0,
                                .verified = output_outcomes_[output].verified});
  }
  if (cycle.proposal != nullptr && cycle.proposal->explored_size() == static_cast<int>(decision.outputs.size()))
    for (std::size_t i = 0; i < decision.outputs.size(); ++i)
      decision.outputs[i].explored = cycle.proposal->explored(static_cast<int>(i));
  decision.verdict = cycle.verdict;
  decision.sample_to_write = cycle.sample_to_write;
  decision.sample_to_proposal = cycle.sample_to_write - cycle.verdict;
  decision.write_acknowledged = cycle.write;
  return decision;
}

void ControlLoop::count(const Cycle& cycle, TimePoint wall) {
  if (parts_.metrics == nullptr) return;
  const std::size_t agent = static_cast<std::size_t>(
      std::ranges::find(parts_.site.agents, cycle.agent, &config::Agent::id) - parts_.site.agents.begin());
  for (const std::size_t output : cycle.outputs) parts_.metrics->judged(agent, verdicts_[output]);
  const double earned =
      parts_.metrics->decided(agent, cycle.origin, parts_.guard.mode() == guard::Mode::automatic, wall);
  if (agent < agents_.size()) credit(agents_[agent], cycle, earned);
}

// To the version that was in charge of the period that ends, whichever begins the next one.
void ControlLoop::credit(AgentState& agent, const Cycle& cycle, double earned) {
  if (InstanceTable::Instance* instance = agent.instances.find(agent.in_charge);
      instance != nullptr && std::isfinite(earned))
    instance->reward.add(earned);
  if (cycle.origin == "policy") agent.in_charge = agent.instances.active();
}

void ControlLoop::record(const Cycle& cycle, v1::DecisionEvent& event) {
  const bool automatic = parts_.guard.mode() == guard::Mode::automatic;
  bool learnable = automatic && cycle.origin == "policy";
  const TimePoint wall = parts_.clock.now();
  event.set_id(make_id(wall));
  event.set_wall_unix_ns(unix_ns(wall));
  event.set_agent(cycle.agent);
  event.set_mode(static_cast<std::uint32_t>(parts_.guard.mode()));
  event.set_time_unix_ns(unix_ns(site_now()));
  event.set_origin(cycle.origin);
  for (const std::size_t output : cycle.outputs) {
    const guard::OutputVerdict& verdict = verdicts_[output];
    v1::OutputVerdict& out = *event.add_outputs();
    out.set_tag(parts_.site.tags[output_tags_[output]].name);
    out.set_action(static_cast<std::uint32_t>(verdict.action));
    out.set_reasons(verdict.reasons);
    out.set_proposed(proposals_[output].value);
    out.set_applied(latest_[output_tags_[output]].value);
    out.set_written(output_written_[output] != 0);
    learnable = learnable && output_written_[output] != 0 &&
                (verdict.action == guard::Action::accepted || verdict.action == guard::Action::clamped);
    ++verdict_counts_[guard::to_string(verdict.action)];
  }
  event.set_learnable(learnable);
  count(cycle, wall);
  if (cycle.proposal != nullptr) {
    *event.mutable_observation() = cycle.proposal->observation();
    *event.mutable_previous_inputs() = cycle.proposal->previous_inputs();
  }
  for (const Sample& element : latest_elements_)
    event.add_values(element.quality == Quality::good ? element.value : std::nan(""));
  event.set_sequence(++decisions_);
  if (!parts_.decisions.append(make_record(cycle, event))) {
    if (trouble_.empty()) log::error("the decision log is full; holding until it can be written again");
    trouble_ = "the decision log cannot keep up or its disk is full";
  } else {
    trouble_.clear();
  }
  parts_.events.decision(event);
}

// The same measure for every instance, active or not, so that versions can be compared: steps are from its own last
// proposal, for the plant may follow another.
bool ControlLoop::outside_rules(const v1::Proposal& proposal, const AgentState& agent,
                                const InstanceTable::Instance& instance) const {
  for (std::size_t i = 0; i < agent.outputs.size(); ++i) {
    const config::OutputRule& rule = parts_.site.guard.outputs[output_rules_[agent.outputs[i]]];
    const double value = proposal.values(static_cast<int>(i));
    const double rounding = 1e-9 * (rule.limits.high - rule.limits.low);
    if (!(value >= rule.limits.low - rounding && value <= rule.limits.high + rounding)) return true;
    if (i < instance.last.size() && rule.step_max > 0.0 &&
        std::abs(value - instance.last[i]) > rule.step_max + rounding)
      return true;
  }
  return false;
}

void ControlLoop::note_proposal(const v1::Proposal& proposal, const AgentState& agent,
                                InstanceTable::Instance& instance) {
  instance.heard = parts_.clock.steady();
  instance.policy_sha256 = proposal.policy_sha256();
  instance.latency.add(Duration(proposal.proposal_ns()));
  ++instance.proposals;
  const auto outcome = static_cast<controllers::Outcome>(proposal.outcome());
  if (outcome == controllers::Outcome::hold) return;  // an input was not usable: not the policy's doing
  if (outcome != controllers::Outcome::ok) {
    ++instance.faults;
    return;
  }
  instance.interventions += outside_rules(proposal, agent, instance) ? 1 : 0;
  instance.last.assign(proposal.values().begin(), proposal.values().end());
}

// What a version that is not active would have done: on record under its own name, not published, not learnt from.
void ControlLoop::record_shadow(const v1::Proposal& proposal, std::size_t index,
                                const InstanceTable::Instance& instance, v1::DecisionEvent& event) {
  AgentState& agent = agents_[index];
  take_proposal(proposal, agent);
  Cycle cycle;
  cycle.origin = "shadow";
  cycle.agent = parts_.site.agents[index].id;
  cycle.outputs = agent.outputs;
  cycle.proposal = &proposal;
  const TimePoint wall = parts_.clock.now();
  event.set_id(make_id(wall));
  event.set_wall_unix_ns(unix_ns(wall));
  event.set_agent(cycle.agent);
  event.set_mode(static_cast<std::uint32_t>(parts_.guard.mode()));
  event.set_time_unix_ns(unix_ns(site_now()));
  event.set_origin(cycle.origin);
  for (const Sample& element : latest_elements_)
    event.add_values(element.quality == Quality::good ? element.value : std::nan(""));
  for (const std::size_t output : cycle.outputs) {
    output_written_[output] = 0;
    output_outcomes_[output] = {};
    verdicts_[output] = {guard::Action::withheld, static_cast<std::uint32_t>(guard::Reason::not_owner),
                         latest_[output_tags_[output]].value};
    v1::OutputVerdict& out = *event.add_outputs();
    out.set_tag(parts_.site.tags[output_tags_[output]].name);
    out.set_action(static_cast<std::uint32_t>(guard::Action::withheld));
    out.set_reasons(static_cast<std::uint32_t>(guard::Reason::not_owner));
    out.set_proposed(proposals_[output].value);
    out.set_applied(verdicts_[output].value);
  }
  historian::Decision decision = make_record(cycle, event);
  decision.agent = instance.name.substr(instance.name.find('.') + 1);
  // A log that is full shows in the active instance's decisions, which then hold.
  [[maybe_unused]] const bool kept = parts_.decisions.append(std::move(decision));
}

// The steps of a decision as parts of its trace: timed as they happened, recorded now that all is done.
void ControlLoop::trace_steps(const Cycle& cycle, const v1::DecisionEvent& event) const noexcept {
  if (!trace::current().sampled) return;
  const Duration now = parts_.clock.steady();
  trace::Span verdict = trace::Span::child("verdict");
  verdict.set("rltune.agent", cycle.agent).set("rltune.origin", cycle.origin).set("rltune.decision_id", event.id());
  verdict.set("rltune.mode", guard::to_string(parts_.guard.mode()));
  verdict.set("rltune.outputs", static_cast<double>(cycle.outputs.size()));
  verdict.end(now - cycle.judged_at, cycle.verdict);
  if (write_outputs_.empty()) return;
  Duration acknowledged{};
  bool accepted = true, verified = true;
  for (const std::size_t output : write_outputs_) {
    acknowledged = std::max(acknowledged, output_outcomes_[output].latency);
    accepted = accepted && output_outcomes_[output].accepted;
    verified = verified && output_outcomes_[output].verified;
  }
  const bool answered = acknowledged > Duration::zero() && acknowledged < cycle.write;
  trace::Span write = trace::Span::child("write", trace::Kind::client);
  write.set("rltune.set_points", static_cast<double>(write_outputs_.size()));
  if (!accepted) write.fail("the plant did not accept every set-point");
  write.end(now - cycle.written_at, answered ? acknowledged : cycle.write);
  if (!answered) return;
  trace::Span read_back = trace::Span::child("read_back", trace::Kind::client);
  if (!verified) read_back.fail("the plant has another value");
  read_back.end(now - cycle.written_at - acknowledged, cycle.write - acknowledged);
}

Result<> ControlLoop::propose(const v1::Proposal& proposal, v1::DecisionEvent& event) {
  const auto index = find_agent(proposal.agent());
  if (!index) return std::unexpected(index.error());
  AgentState& agent = agents_[*index];
  InstanceTable::Instance* instance = agent.instances.find(agent.instances.name_or_default(proposal.instance()));
  if (instance == nullptr || !instance->attached)
    return fail(Errc::disconnected, "io was restarted; attach to it first");
  if (static_cast<std::size_t>(proposal.values_size()) != agent.outputs.size())
    return fail(Errc::mismatch, std::format("agent {} proposes {} values for {} outputs", proposal.agent(),
                                            proposal.values_size(), agent.outputs.size()));
  note_proposal(proposal, agent, *instance);
  if (!agent.instances.is_active(*instance)) {
    record_shadow(proposal, *index, *instance, event);
    return {};
  }
  if (parts_.site.clock == config::ClockKind::plant && (!cycle_open_ || agent.proposed))
    return fail(Errc::timeout, "this step of the plant's clock is already decided");

  agent.last_proposal = parts_.clock.steady();
  if (agent.lost) log::info("the agent decides again", {{"agent", proposal.agent()}});
  agent.lost = false;
  agent.beat = true;
  proposal_time_.add(Duration(proposal.proposal_ns()));
  if (parts_.metrics) parts_.metrics->proposal(Duration(proposal.proposal_ns()));

  Cycle cycle;
  cycle.agent = proposal.agent();
  cycle.outputs = agent.outputs;
  cycle.proposal = &proposal;
  cycle.origin = "policy";
  cycle.received = Duration(proposal.received_steady_ns());
  if (proposal.outcome() == static_cast<std::uint32_t>(controllers::Outcome::hold))
    cycle.extra_reasons = static_cast<std::uint32_t>(guard::Reason::bad_input);
  else if (proposal.outcome() != static_cast<std::uint32_t>(controllers::Outcome::ok))
    cycle.extra_reasons = static_cast<std::uint32_t>(guard::Reason::policy_fault);
  take_proposal(proposal, agent);
  if (!may_explore(*index, proposal)) {
    log::error("an agent explored where the site does not let it; its outputs are held",
               {{"agent", proposal.agent()}, {"correlation_id", proposal.correlation_id()}});
    cycle.extra_reasons = static_cast<std::uint32_t>(guard::Reason::policy_fault);
    std::ranges::fill(proposals_, guard::OutputProposal{});
  }
  if (!trouble_.empty()) std::ranges::fill(proposals_, guard::OutputProposal{});
  judge(*index, cycle);
  apply(cycle);
  record(cycle, event);
  trace_steps(cycle, event);
  agent.proposed = true;
  close_cycle_when_done();
  return {};
}

void ControlLoop::without_agent(std::size_t index) {
  AgentState& agent = agents_[index];
  agent.last_fallback = parts_.clock.steady();
  std::ranges::fill(proposals_, guard::OutputProposal{});
  std::ranges::fill(fallback_, guard::OutputProposal{});
  if (FallbackController* controller = parts_.fallbacks[index].get()) {
    const auto values = controller->act(site_now());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto output = std::ranges::find(output_tags_, controller->tags()[i]);
      if (output != output_tags_.end())
        fallback_[static_cast<std::size_t>(output - output_tags_.begin())] = {values[i], true};
    }
  }
  Cycle cycle;
  cycle.agent = parts_.site.agents[index].id;
  cycle.outputs = agent.outputs;
  cycle.origin = "fallback";
  const trace::Span decision = trace::Span::root("decision");
  const trace::Scope within(decision.context());
  judge(index, cycle);
  apply(cycle);
  v1::DecisionEvent event;
  record(cycle, event);
  trace_steps(cycle, event);
}

// ---- time ---------------------------------------------------------------------------------------------

void ControlLoop::tick() {
  if (parts_.site.clock == config::ClockKind::plant) {
    close_cycle_when_done();
  } else {
    watch_agents();
    supervise();
  }
  write_heartbeats();
}

void ControlLoop::watch_agents() {
  const Duration now = parts_.clock.steady();
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    AgentState& agent = agents_[i];
    if (!agent.lost && now - agent.last_proposal > agent.timeout) {
      agent.lost = true;
      agent.last_fallback = now - agent.period;
      if (parts_.fallbacks[i]) parts_.fallbacks[i]->start(site_now());
      log::warning("the agent stopped deciding; its outputs are held, then its fallback runs",
                   {{"agent", parts_.site.agents[i].id}, {"fallback", parts_.site.agents[i].fallback}});
    }
    if (agent.lost && now - agent.last_fallback >= agent.period) without_agent(i);
  }
}

// Interlocks act when they trip, not at the next decision.
void ControlLoop::supervise() {
  const Duration now = parts_.clock.steady();
  if (parts_.guard.mode() != guard::Mode::automatic || now - last_supervision_ < kSupervisionPeriod) return;
  last_supervision_ = now;
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    std::ranges::fill(proposals_, guard::OutputProposal{});
    std::ranges::fill(fallback_, guard::OutputProposal{});
    Cycle cycle;
    cycle.agent = parts_.site.agents[i].id;
    cycle.outputs = agents_[i].outputs;
    cycle.origin = kInterlockOrigin;
    judge(i, cycle);
    const bool tripped = std::ranges::any_of(cycle.outputs, [this](std::size_t output) {
      const guard::OutputVerdict& verdict = verdicts_[output];
      return (verdict.reasons & kInterlock) != 0 && goes_to_plant(verdict.action) &&
             !(std::abs(latest_[output_tags_[output]].value - verdict.value) <= 1e-9 * (1.0 + std::abs(verdict.value)));
    });
    if (!tripped) continue;
    apply(cycle);
    v1::DecisionEvent event;
    record(cycle, event);
  }
}

void ControlLoop::write_heartbeats() {
  const config::Guard& guard = parts_.site.guard;
  const Duration now = parts_.clock.steady();
  if (now - last_heartbeat_ < from_seconds(guard.heartbeat_s)) return;
  last_heartbeat_ = now;
  if (parts_.link.status().state != plant::LinkState::connected) return;
  std::array<std::uint32_t, 2> tags{};
  std::array<double, 2> values{};
  std::size_t count = 0;
  if (const auto tag = parts_.site.find_tag(guard.guard_alive)) {
    tags[count] = static_cast<std::uint32_t>(*tag);
    values[count++] = static_cast<double>(++guard_beats_ % 1'000'000);
  }
  const auto tag = parts_.site.find_tag(guard.agent_alive);
  if (tag && std::ranges::any_of(agents_, &AgentState::beat)) {
    tags[count] = static_cast<std::uint32_t>(*tag);
    values[count++] = static_cast<double>(++agent_beats_ % 1'000'000);
    for (AgentState& agent : agents_) agent.beat = false;
  }
  if (count > 0) parts_.link.write({tags.data(), count}, {values.data(), count}, {outcomes_.data(), count});
}

// ---- lockstep -----------------------------------------------------------------------------------------

void ControlLoop::open_cycle() {
  cycle_open_ = true;
  cycle_opened_ = parts_.clock.steady();
  cycle_reconnects_ = parts_.link.status().reconnects;
  for (AgentState& agent : agents_) agent.proposed = false;
}

void ControlLoop::close_cycle_when_done() {
  const Duration now = parts_.clock.steady();
  const bool connected = parts_.link.status().state == plant::LinkState::connected;
  if (!connected) unknown_since_.reset();
  if (!cycle_open_) {
    if (barrier_.step() >= 0 && connected && now - last_advance_ > kStuckAfter) resume_cycle();
    return;
  }
  // What was decided while the link went away and came back may not have reached the plant, or came from what it had
  // not told yet.
  if (!connected) return;
  if (parts_.link.status().reconnects != cycle_reconnects_) return decide_anew();
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    AgentState& agent = agents_[i];
    if (agent.proposed) continue;
    if (now - cycle_opened_ < (agent.instances.attached() ? agent.timeout : std::max(agent.timeout, kAttachPatience)))
      return;
    if (!agent.lost) {
      agent.lost = true;
      if (parts_.fallbacks[i]) parts_.fallbacks[i]->start(site_now());
      log::warning("no proposal for this step; outputs held, then the fallback runs",
                   {{"agent", parts_.site.agents[i].id}});
    }
    without_agent(i);
    agent.proposed = true;
  }
  advance_plant();
}

// The connection is there before the values are: what is still unknown from the time without the plant is waited for.
bool ControlLoop::knows_the_plant() {
  const auto unknown = [this](const Sample& sample) {
    const config::TagRole role = parts_.site.tags[sample.tag].role;
    const bool decided_from = role == config::TagRole::measurement || role == config::TagRole::exogenous ||
                              role == config::TagRole::forecast || role == config::TagRole::setpoint;
    return decided_from && sample.quality != Quality::good;
  };
  const Duration now = parts_.clock.steady();
  if (!unknown_since_) unknown_since_ = now;
  if (std::ranges::any_of(latest_elements_, unknown) && now - *unknown_since_ < kValuesPatience) return false;
  unknown_since_.reset();
  return true;
}

void ControlLoop::decide_anew() {
  if (!knows_the_plant()) return;
  publish(latest_elements_, true);
  open_cycle();
}

// The plant still stands at a step that was decided. A plant that was restarted may have lost its set-points
// too: decide the step anew. Otherwise only the order to advance was lost: repeat it.
void ControlLoop::resume_cycle() {
  if (parts_.link.status().reconnects == advance_reconnects_) {
    if (!advance_accepted_) advance_plant();
    return;
  }
  decide_anew();
}

void ControlLoop::advance_plant() {
  const auto tag = static_cast<std::uint32_t>(parts_.site.find_tag(parts_.site.plant_clock.advance).value());
  const auto value = static_cast<double>(barrier_.step() + 1);
  cycle_open_ = false;
  last_advance_ = parts_.clock.steady();
  advance_reconnects_ = parts_.link.status().reconnects;
  outcomes_[0] = {};
  parts_.link.write({&tag, 1}, {&value, 1}, {outcomes_.data(), 1});
  advance_accepted_ = outcomes_[0].accepted;
}

}  // namespace rltune::io
