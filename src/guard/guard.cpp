#include "rltune/guard/guard.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <limits>

#include "budgets.hpp"
#include "elapsed.hpp"
#include "interlocks.hpp"
#include "output_guard.hpp"
#include "rltune/base/check.hpp"

namespace rltune::guard {
namespace {

constexpr std::uint32_t bit(Reason reason) { return static_cast<std::uint32_t>(reason); }
constexpr std::uint32_t kNobody = std::numeric_limits<std::uint32_t>::max();
constexpr double kEverything = std::numeric_limits<double>::infinity();
constexpr double kUnownedPeriodS = 1.0;
// How long a subscription may go on showing values from before a write, beyond its own intervals.
constexpr double kLagS = 2.0;

struct Output {
  OutputGuard memory;
  std::size_t tag;
  std::uint32_t owner;
  std::size_t mode_tag;  // tags.size() where the output has none
  std::vector<double> mode_remote;
  std::uint32_t taken = 0;  // by the DCS, now; Reason bits
};

// An agent's silence: the outputs stay for hold, then the fallback controller has them.
struct Watch {
  Duration hold{};
  bool lost = false;
  TimePoint lost_since{};
};

Duration lag_of(const config::Site& site) {
  return from_seconds(kLagS +
                      2e-3 * (site.link.publishing_interval_ms + std::max(0.0, site.link.sampling_interval_ms)));
}

Result<std::size_t> find(const config::Site& site, const std::string& tag, const std::string& path) {
  if (const auto index = site.find_tag(tag)) return *index;
  return fail(Errc::invalid_argument, std::format("{}: there is no tag '{}'", path, tag));
}

}  // namespace

struct Guard::State {
  std::vector<Output> outputs;
  std::vector<Watch> watches;  // by agent
  Interlocks interlocks;
  std::vector<std::uint32_t> tripped;
  Budgets budgets;
  std::vector<Claim> claims;  // by output
  std::size_t tag_count = 0;
  Mode mode = Mode::manual;
  TimePoint last_now = TimePoint::min();
  bool link_was_down = false;

  void see(Output& output, const GuardInput& input) noexcept;
  void start(const GuardInput& input) noexcept;
  std::uint32_t dcs(const Output& output, const GuardInput& input) const noexcept;
  bool fallback_due(const Watch& watch, TimePoint now) const noexcept;
  void watch_agent(const GuardInput& input) noexcept;
  Claim claim(std::size_t index) const noexcept;
  void ask(const GuardInput& input) noexcept;
  double room(std::size_t index) const noexcept;
  double room_by_hand(std::size_t index, double value) noexcept;
  void settle(std::size_t index, double room, TimePoint now, OutputVerdict& verdict) const noexcept;
  void write(std::size_t index, double value, TimePoint now) noexcept;
  OutputVerdict rule(std::size_t index, const GuardInput& input, bool writing) noexcept;
  OutputVerdict choose(std::size_t index, const GuardInput& input) const noexcept;
  OutputVerdict withhold(const Output& output, const GuardInput& input, std::uint32_t reasons) const noexcept;
};

Guard::Guard(std::unique_ptr<State> state) : state_(std::move(state)) {}
Guard::~Guard() = default;
Guard::Guard(Guard&&) noexcept = default;
Guard& Guard::operator=(Guard&&) noexcept = default;

Result<Guard> Guard::create(const config::Site& site) {
  auto state = std::make_unique<State>();
  std::vector<std::size_t> output_tags;
  for (std::size_t tag = 0; tag < site.tags.size(); ++tag) {
    if (site.tags[tag].role != config::TagRole::setpoint) continue;
    const auto found = std::ranges::find(site.guard.outputs, site.tags[tag].name, &config::OutputRule::tag);
    if (found == site.guard.outputs.end())
      return fail(Errc::invalid_argument,
                  std::format("tags[{}]: set-point '{}' has no rules in guard.outputs", tag, site.tags[tag].name));
    const config::OutputRule& rule = *found;
    const std::string path = std::format("guard.outputs[{}]", found - site.guard.outputs.begin());
    if (!(rule.limits.low < rule.limits.high) ||
        !(rule.safe_value >= rule.limits.low && rule.safe_value <= rule.limits.high))
      return fail(Errc::invalid_argument, path + ".limits: low must be below high, and safe_value between them");
    std::size_t mode_tag = site.tags.size();
    if (!rule.mode_tag.empty()) {
      const auto index = find(site, rule.mode_tag, path + ".mode_tag");
      if (!index) return std::unexpected(index.error());
      mode_tag = *index;
    }
    const auto owner = site.find_owner(rule.tag);
    const double period_s = owner ? site.agents[*owner].period_s : kUnownedPeriodS;
    output_tags.push_back(tag);
    state->outputs.push_back({OutputGuard(rule, from_seconds(period_s), lag_of(site)), tag,
                              owner ? static_cast<std::uint32_t>(*owner) : kNobody, mode_tag, rule.mode_remote});
  }
  if (state->outputs.size() != site.guard.outputs.size())
    return fail(Errc::invalid_argument,
                "guard.outputs: a rule names a tag that is not a set-point of the site, or names it twice");
  auto interlocks = Interlocks::create(site, output_tags);
  if (!interlocks) return std::unexpected(interlocks.error());
  state->interlocks = std::move(*interlocks);
  state->tripped.assign(state->outputs.size(), 0);
  auto budgets = Budgets::create(site, output_tags, state->interlocks);
  if (!budgets) return std::unexpected(budgets.error());
  state->budgets = std::move(*budgets);
  state->claims.resize(state->outputs.size());
  for (const config::Agent& agent : site.agents) state->watches.push_back({.hold = from_seconds(agent.hold_s)});
  state->tag_count = site.tags.size();
  const auto mode = parse_mode(site.guard.mode);
  if (!mode) return fail(Errc::invalid_argument, "guard.mode: " + mode.error().message);
  state->mode = *mode;
  return Guard(std::move(state));
}

std::size_t Guard::outputs() const noexcept { return state_->outputs.size(); }
std::size_t Guard::output_tag(std::size_t output) const noexcept { return state_->outputs[output].tag; }
Mode Guard::mode() const noexcept { return state_->mode; }
// Bumpless by itself: while it does not write, the guard follows the live values, and it starts from them.
void Guard::set_mode(Mode mode) noexcept {
  if (mode != state_->mode) state_->budgets.forget_all();
  state_->mode = mode;
}

void Guard::take_over(const Guard& before) noexcept {
  State& state = *state_;
  const State& old = *before.state_;
  RLTUNE_CHECK(state.outputs.size() == old.outputs.size() && state.watches.size() == old.watches.size());
  state.mode = old.mode;
  state.last_now = old.last_now;
  state.link_was_down = old.link_was_down;
  for (std::size_t i = 0; i < state.outputs.size(); ++i) {
    RLTUNE_CHECK(state.outputs[i].tag == old.outputs[i].tag);
    state.outputs[i].memory.take_over(old.outputs[i].memory, old.last_now);
  }
  for (std::size_t i = 0; i < state.watches.size(); ++i) {
    state.watches[i].lost = old.watches[i].lost;
    state.watches[i].lost_since = old.watches[i].lost_since;
  }
}

void Guard::applied(std::size_t output, double value, TimePoint time) noexcept {
  RLTUNE_CHECK(output < outputs());
  // A time of another clock must not lie ahead of the site's, where it would block every rate.
  state_->outputs[output].memory.confirm(value, std::min(time, state_->last_now));
}

void Guard::State::start(const GuardInput& input) noexcept {
  if (input.now < last_now) {
    for (Output& output : outputs) output.memory.rewind(input.now);
    for (Watch& watch : watches) watch.lost_since = std::min(watch.lost_since, input.now);
  }
  last_now = input.now;
  for (Output& output : outputs) see(output, input);
  if (input.link_up) link_was_down = false;
  interlocks.evaluate(input.tags, input.now, tripped);
}

void Guard::State::see(Output& output, const GuardInput& input) noexcept {
  if (!input.link_up) {
    link_was_down = true;
    return;
  }
  output.taken = dcs(output, input);
  if (output.tag >= input.tags.size()) return;
  const Sample& live = input.tags[output.tag];
  if (output.taken != 0)
    output.memory.follow(live, input.now);
  else if (link_was_down)
    output.memory.resume(live, input.now);
  else
    output.memory.see(live, input.now);
}

void Guard::State::watch_agent(const GuardInput& input) noexcept {
  if (input.agent >= watches.size()) return;
  Watch& watch = watches[input.agent];
  if (!input.agent_alive && !watch.lost) watch.lost_since = input.now;
  watch.lost = !input.agent_alive;
}

bool Guard::State::fallback_due(const Watch& watch, TimePoint now) const noexcept {
  return watch.lost && elapsed(watch.lost_since, now) >= watch.hold;
}

// 0 where the output is ours to write. A mode that cannot be read is not ours.
std::uint32_t Guard::State::dcs(const Output& output, const GuardInput& input) const noexcept {
  if (output.mode_tag == tag_count) return 0;
  if (output.mode_tag >= input.tags.size()) return bit(Reason::dcs_took_over) | bit(Reason::bad_input);
  const Sample& dcs_mode = input.tags[output.mode_tag];
  if (dcs_mode.quality != Quality::good || !std::isfinite(dcs_mode.value))
    return bit(Reason::dcs_took_over) | bit(Reason::bad_input);
  const bool remote = std::ranges::find(output.mode_remote, dcs_mode.value) != output.mode_remote.end();
  return remote ? 0 : bit(Reason::dcs_took_over);
}

OutputVerdict Guard::State::withhold(const Output& output, const GuardInput& input,
                                     std::uint32_t reasons) const noexcept {
  double live = output.memory.known() ? output.memory.value() : std::numeric_limits<double>::quiet_NaN();
  if (output.tag < input.tags.size()) {
    const Sample& sample = input.tags[output.tag];
    if (sample.quality != Quality::bad && std::isfinite(sample.value)) live = sample.value;
  }
  return {Action::withheld, reasons, live};
}

// Whose value is wanted, before any rule looks at it. REQUIRES: the output's value is known.
OutputVerdict Guard::State::choose(std::size_t index, const GuardInput& input) const noexcept {
  const Output& output = outputs[index];
  const OutputProposal nothing{};
  const OutputVerdict held{Action::held, 0, output.memory.value()};
  const auto with = [&](OutputVerdict verdict, std::uint32_t reasons) { return verdict.reasons = reasons, verdict; };
  if (input.agent_alive) {
    const OutputProposal& proposal = index < input.proposals.size() ? input.proposals[index] : nothing;
    if (!proposal.present) return with(held, bit(Reason::late));
    if (!std::isfinite(proposal.value)) return with(held, bit(Reason::not_finite) | bit(Reason::policy_fault));
    return {Action::accepted, 0, proposal.value};
  }
  const OutputProposal& fallback = index < input.fallback.size() ? input.fallback[index] : nothing;
  if (!fallback_due(watches[output.owner], input.now) || !fallback.present) return with(held, bit(Reason::agent_lost));
  if (!std::isfinite(fallback.value)) return with(held, bit(Reason::agent_lost) | bit(Reason::not_finite));
  return {Action::fallback, bit(Reason::agent_lost), fallback.value};
}

// The verdict on one output, as it would be if this mode wrote.
OutputVerdict Guard::State::rule(std::size_t index, const GuardInput& input, bool writing) noexcept {
  Output& output = outputs[index];
  if (!input.link_up) return withhold(output, input, bit(Reason::link_down));
  if (output.taken != 0) return withhold(output, input, output.taken);
  OutputVerdict verdict;
  if (tripped[index] != 0) {
    verdict = {Action::clamped, tripped[index], output.memory.safe_value()};
  } else {
    if (output.owner == kNobody || output.owner != input.agent) return withhold(output, input, bit(Reason::not_owner));
    if (!output.memory.known()) return withhold(output, input, bit(Reason::bad_input));
    if (input.interlocks_only) return {Action::held, 0, output.memory.value()};
    verdict = choose(index, input);
    settle(index, room(index), input.now, verdict);
  }
  if (writing) write(index, verdict.value, input.now);
  return verdict;
}

void Guard::State::settle(std::size_t index, double room, TimePoint now, OutputVerdict& verdict) const noexcept {
  const Settled settled = outputs[index].memory.settle(verdict.value, room, now);
  verdict.value = settled.value;
  verdict.reasons |= settled.reasons;
  if ((settled.reasons & bit(Reason::budget)) != 0 && budgets.blind(index, claims))
    verdict.reasons |= bit(Reason::bad_input);
  if (settled.held)
    verdict.action = Action::held;
  else if (settled.reasons != 0 && verdict.action != Action::fallback)
    verdict.action = Action::clamped;
}

void Guard::State::write(std::size_t index, double value, TimePoint now) noexcept {
  outputs[index].memory.write(value, now);
  claims[index] = claim(index);
}

Claim Guard::State::claim(std::size_t index) const noexcept {
  const Output& output = outputs[index];
  if (!output.memory.known()) return {};
  return {.low = output.memory.least(),
          .high = output.memory.most(),
          .known = true,
          .yields = output.owner != kNobody && output.taken == 0 && tripped[index] == 0};
}

// What the deciding agent wants of its budgets, before any part is found.
void Guard::State::ask(const GuardInput& input) noexcept {
  for (std::size_t i = 0; i < outputs.size(); ++i) claims[i] = claim(i);
  if (input.interlocks_only) return;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].owner != input.agent || !budgets.shares(i)) continue;
    if (claims[i].known && claims[i].yields)
      budgets.ask(i, outputs[i].memory.clip(choose(i, input).value));
    else
      budgets.forget(i);
  }
  budgets.divide(claims);
}

// In automatic mode a person, too, has no more than the output's part; otherwise nobody else is about to write.
double Guard::State::room_by_hand(std::size_t index, double value) noexcept {
  if (!budgets.shares(index)) return kEverything;
  for (std::size_t i = 0; i < outputs.size(); ++i) claims[i] = claim(i);
  if (mode != Mode::automatic) return budgets.room(index, claims);
  claims[index].yields = true;
  budgets.ask(index, outputs[index].memory.clip(value));
  budgets.divide(claims);
  budgets.forget(index);
  return room(index);
}

double Guard::State::room(std::size_t index) const noexcept {
  return budgets.shares(index) ? std::min(budgets.part(index), budgets.room(index, claims)) : kEverything;
}

void Guard::decide(const GuardInput& input, std::span<OutputVerdict> verdicts) noexcept {
  State& state = *state_;
  RLTUNE_CHECK(verdicts.size() == state.outputs.size());
  state.start(input);
  state.watch_agent(input);
  state.ask(input);
  const bool writing = state.mode == Mode::automatic;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    verdicts[i] = state.rule(i, input, writing);
    if (!writing) verdicts[i] = state.withhold(state.outputs[i], input, verdicts[i].reasons | bit(Reason::mode));
  }
}

OutputVerdict Guard::decide_manual(std::size_t index, double value, const GuardInput& input) noexcept {
  State& state = *state_;
  RLTUNE_CHECK(index < state.outputs.size());
  state.start(input);
  Output& output = state.outputs[index];
  if (state.mode == Mode::automatic && output.owner != kNobody)
    return state.withhold(output, input, bit(Reason::mode) | bit(Reason::not_owner));
  if (!input.link_up) return state.withhold(output, input, bit(Reason::link_down));
  if (output.taken != 0) return state.withhold(output, input, output.taken);
  OutputVerdict verdict{Action::accepted, 0, value};
  if (state.tripped[index] != 0) {
    verdict = {Action::clamped, state.tripped[index], output.memory.safe_value()};
  } else {
    if (!std::isfinite(value)) return state.withhold(output, input, bit(Reason::not_finite));
    if (!output.memory.known()) return state.withhold(output, input, bit(Reason::bad_input));
    state.settle(index, state.room_by_hand(index, value), input.now, verdict);
  }
  state.write(index, verdict.value, input.now);
  return verdict;
}

}  // namespace rltune::guard
