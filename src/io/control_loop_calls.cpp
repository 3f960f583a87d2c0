// The bus calls of ControlLoop that are not part of a cycle: attaching, modes, people's writes, status.
#include <algorithm>
#include <format>

#include "loop_metrics.hpp"
#include "rltune/base/log.hpp"
#include "rltune/io/control_loop.hpp"

namespace rltune::io {
namespace {

// A person's words, which stand on record: at most 500 bytes of them, whatever comes, and whole characters.
std::string bounded(const std::string& text) {
  std::size_t size = std::min<std::size_t>(text.size(), 500);
  while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  return text.substr(0, size);
}

constexpr std::array kModes{guard::Mode::manual, guard::Mode::shadow, guard::Mode::advisory, guard::Mode::automatic};

Result<guard::Mode> parse_mode(const std::string& text) {
  if (text == "auto") return guard::Mode::automatic;
  for (const guard::Mode mode : kModes)
    if (text == guard::to_string(mode)) return mode;
  return fail(Errc::invalid_argument,
              std::format("'{}' is not a mode; choose manual, shadow, advisory or automatic", text));
}

const char* to_string(plant::LinkState state) noexcept {
  switch (state) {
    case plant::LinkState::connecting:
      return "connecting";
    case plant::LinkState::connected:
      return "connected";
    case plant::LinkState::stale:
      return "stale";
    case plant::LinkState::disconnected:
      return "disconnected";
    case plant::LinkState::refused:
      return "refused";
  }
  return "unknown";
}

}  // namespace

Result<> ControlLoop::attach(const v1::AttachRequest& request, v1::AttachAnswer& answer) {
  const auto index = find_agent(request.agent());
  if (!index) return std::unexpected(index.error());
  AgentState& agent = agents_[*index];
  InstanceTable::Instance& instance =
      agent.instances.attach(agent.instances.name_or_default(request.instance()), parts_.clock.steady());
  instance.validated = request.validated();
  instance.policy_sha256 = request.policy_sha256();
  const bool active = agent.instances.is_active(instance);
  if (active) agent.last_proposal = parts_.clock.steady();
  if (active && !instance.validated && parts_.guard.mode() == guard::Mode::automatic)
    log::error("the agent's policy did not pass its validation; automatic mode holds its outputs",
               {{"agent", request.agent()}});
  log::info("agent attached", {{"agent", request.agent()},
                               {"instance", instance.name},
                               {"active", active ? "yes" : "no"},
                               {"policy", request.policy_sha256()}});
  answer.set_active(active);
  answer.set_mode(static_cast<std::uint32_t>(parts_.guard.mode()));
  fill_batch(*answer.mutable_latest(), latest_elements_);
  answer.mutable_latest()->set_sequence(sequence_);
  // A plant that went away since the step began gets it decided anew, from the values that it is back with.
  const plant::LinkStatus link = parts_.link.status();
  const bool there = link.state == plant::LinkState::connected && link.reconnects == cycle_reconnects_;
  answer.mutable_latest()->set_complete(cycle_open_ && there);
  for (const std::size_t output : agent.outputs) answer.add_applied(latest_[output_tags_[output]].value);
  return {};
}

Result<> ControlLoop::alive(const v1::AliveRequest& request) {
  const auto index = find_agent(request.agent());
  if (!index) return std::unexpected(index.error());
  const InstanceTable& instances = agents_[*index].instances;
  if (instances.name_or_default(request.instance()) == instances.active()) agents_[*index].beat = true;
  return {};
}

Result<> ControlLoop::activate(const v1::ActivateRequest& request, v1::ActivateAnswer& answer) {
  const auto index = find_agent(request.agent());
  if (!index) return std::unexpected(index.error());
  InstanceTable& instances = agents_[*index].instances;
  const std::string before = instances.active();
  if (auto done = instances.activate(request.instance(), request.epoch()); !done) return done;
  if (before != instances.active())
    log::info("another instance is active", {{"agent", request.agent()},
                                             {"instance", instances.active()},
                                             {"before", before},
                                             {"epoch", std::to_string(instances.epoch())}});
  answer.set_instance(instances.active());
  answer.set_epoch(instances.epoch());
  return {};
}

Result<> ControlLoop::instances(const v1::InstancesRequest&, v1::InstancesAnswer& answer) {
  const Duration now = parts_.clock.steady();
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    const InstanceTable& instances = agents_[i].instances;
    const auto add = [&](const InstanceTable::Instance& instance) {
      v1::InstanceReport& report = *answer.add_instances();
      report.set_agent(parts_.site.agents[i].id);
      report.set_instance(instance.name);
      report.set_active(instances.is_active(instance));
      report.set_epoch(instances.epoch());
      report.set_attached(instance.attached);
      report.set_validated(instance.validated);
      report.set_policy_sha256(instance.policy_sha256);
      report.set_proposals(instance.proposals);
      report.set_faults(instance.faults);
      report.set_interventions(instance.interventions);
      report.set_latency_p50_us(instance.latency.quantile_us(0.5));
      report.set_latency_p99_us(instance.latency.quantile_us(0.99));
      report.set_reward_batches(instance.reward.batches());
      report.set_reward_mean(instance.reward.mean());
      report.set_reward_squares(instance.reward.squares());
      report.set_quiet_s(instance.attached ? to_seconds(now - instance.heard) : 0.0);
    };
    for (const auto& [name, instance] : instances.all()) add(instance);
    if (!instances.all().contains(instances.active())) add({.name = instances.active()});
  }
  return {};
}

Result<> ControlLoop::set_mode(const v1::ModeRequest& request, v1::ModeAnswer& answer) {
  if (!request.mode().empty()) {
    const auto mode = parse_mode(request.mode());
    if (!mode) return std::unexpected(mode.error());
    if (*mode == guard::Mode::automatic) {
      for (std::size_t i = 0; i < agents_.size(); ++i)
        if (agents_[i].instances.attached() && !agents_[i].instances.validated())
          answer.set_refused(
              std::format("the policy of agent {} did not pass its validation; 'rltune policy show' says why",
                          parts_.site.agents[i].id));
    }
    if (answer.refused().empty() && *mode != parts_.guard.mode()) {
      parts_.guard.set_mode(*mode);
      log::info("mode changed", {{"mode", guard::to_string(*mode)}});
    }
  }
  answer.set_mode(guard::to_string(parts_.guard.mode()));
  return {};
}

Result<> ControlLoop::write(const v1::WriteRequest& request, v1::WriteAnswer& answer) {
  const auto tag = parts_.site.find_tag(request.tag());
  const auto found = tag ? std::ranges::find(output_tags_, *tag) : output_tags_.end();
  if (found == output_tags_.end())
    return fail(Errc::not_found, std::format("'{}' is not an output of this site", request.tag()));
  if (parts_.guard.mode() == guard::Mode::automatic)
    return fail(Errc::denied, std::format("{} belongs to its agent in automatic mode; change the mode to manual first",
                                          request.tag()));
  const auto output = static_cast<std::size_t>(found - output_tags_.begin());

  Cycle cycle;
  cycle.origin = "manual";
  cycle.user = bounded(request.user());
  cycle.reason = bounded(request.reason());
  cycle.outputs = {all_outputs_.data() + output, 1};
  std::ranges::fill(proposals_, guard::OutputProposal{});
  proposals_[output] = {.value = request.value(), .present = true};
  verdicts_[output] = parts_.guard.decide_manual(output, request.value(), guard_input(agents_.size()));
  apply(cycle);
  v1::DecisionEvent event;
  record(cycle, event);
  *answer.mutable_verdict() = event.outputs(0);
  answer.set_verified(output_outcomes_[output].verified);
  return {};
}

bool ControlLoop::every_agent_decides() const noexcept {
  for (std::size_t i = 0; parts_.metrics != nullptr && i < agents_.size(); ++i)
    parts_.metrics->agent_is(i, agents_[i].instances.attached(), agents_[i].lost);
  return std::ranges::all_of(agents_,
                             [](const AgentState& agent) { return agent.instances.attached() && !agent.lost; });
}

void ControlLoop::status(v1::IoStatusAnswer& answer) const {
  const plant::LinkStatus link = parts_.link.status();
  answer.set_link_state(to_string(link.state));
  answer.set_link_reason(link.reason);
  answer.set_reconnects(link.reconnects);
  answer.set_decisions(decisions_);
  answer.set_samples(samples_);
  answer.set_mode(guard::to_string(parts_.guard.mode()));
  answer.set_trouble(trouble());
  for (const auto& [action, count] : verdict_counts_) (*answer.mutable_verdicts())[action] = count;
  auto& latency = *answer.mutable_latency_us();
  const auto put = [&latency](const char* name, const LatencyHistogram& histogram) {
    latency[std::format("{}_p50", name)] = histogram.quantile_us(0.5);
    latency[std::format("{}_p99", name)] = histogram.quantile_us(0.99);
  };
  put("sample_to_write", sample_to_write_);
  put("proposal", proposal_time_);
  put("verdict", verdict_time_);
  put("write", write_time_);
  const bool lost = std::ranges::any_of(agents_, &AgentState::lost);
  const bool attached =
      std::ranges::all_of(agents_, [](const AgentState& agent) { return agent.instances.attached(); });
  answer.set_agent_state(lost ? "fallback" : attached ? "alive" : "waiting");
  fill_batch(*answer.mutable_latest(), latest_elements_);
}

}  // namespace rltune::io
