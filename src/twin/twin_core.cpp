#include "twin_core.hpp"

#include <algorithm>
#include <cmath>

#include "rltune/base/check.hpp"

namespace rltune::twin {
namespace {

constexpr std::uint32_t kLocal = 0;
constexpr std::uint32_t kRemote = 1;

TagContent zero_of(const TagSpec& spec) {
  if (spec.kind == TagKind::reals) return std::vector<double>(spec.elements);
  return 0.0;
}

}  // namespace

TwinCore::TwinCore(std::unique_ptr<env::Simulation> simulation, const CoreOptions& options, const Clock& clock)
    : simulation_(std::move(simulation)),
      options_(options),
      wall_(clock),
      clock_({options.clock, options.start, from_seconds(spec().sample_period_s), options.speed}, 0, clock.steady()),
      watchdog_(options.shed_after, clock.steady()),
      local_(spec()),
      manual_(spec().inputs.size()),
      faults_(spec().measurements.size()) {
  RLTUNE_CHECK(simulation_->size() == 1);
  const auto inputs = simulation_->snapshot(0).inputs;
  wanted_.assign(inputs.begin(), inputs.end());
  sensors_ = add(spec().measurements, "Sensors", TagAccess::read_only);
  setpoints_ = add(spec().inputs, "SetPoints", TagAccess::host);
  env::Space actuators = spec().inputs;
  for (env::Variable& actuator : actuators) {
    actuator.name += "_applied";
    actuator.description += ": what reaches the plant, after the actuator's rate limit and delay";
  }
  applied_ = add(actuators, "Actuators", TagAccess::read_only);
  exogenous_ = add(spec().exogenous, options_.weather ? "Weather" : "Schedule", TagAccess::read_only);
  add_forecasts();
  add_season();
  add_control();
  refresh();
}

std::size_t TwinCore::add(TagSpec spec, TagContent content) {
  RLTUNE_CHECK(!find(spec.name));
  specs_.push_back(std::move(spec));
  values_.push_back({std::move(content), stamp(), TagStatus::good});
  return specs_.size() - 1;
}

TwinCore::Group TwinCore::add(std::span<const env::Variable> variables, std::string_view folder, TagAccess access) {
  const Group group{specs_.size(), variables.size()};
  for (const env::Variable& variable : variables)
    add({.name = variable.name,
         .folder = std::string(folder),
         .unit = variable.unit,
         .access = access,
         .low = variable.low,
         .high = variable.high,
         .history = true,
         .description = variable.description},
        0.0);
  return group;
}

void TwinCore::add_forecasts() {
  forecasts_ = {specs_.size(), leads() > 0 ? spec().exogenous.size() : 0};
  if (forecasts_.count == 0) return;
  for (const env::Variable& variable : spec().exogenous) {
    TagSpec spec{.name = variable.name + "_forecast",
                 .folder = "Forecast",
                 .unit = variable.unit,
                 .kind = TagKind::reals,
                 .low = variable.low,
                 .high = variable.high,
                 .elements = leads(),
                 .description = variable.description + ": forecast, one element a sample period ahead"};
    TagContent content = zero_of(spec);
    add(std::move(spec), std::move(content));
  }
  issued_ = add({.name = "forecast_issued",
                 .folder = "Forecast",
                 .kind = TagKind::time,
                 .description = "when the forecast was made; element 0 is one sample period later"},
                TimePoint{});
}

void TwinCore::add_season() {
  season_start_ =
      add({.name = "season_start", .folder = "Season", .kind = TagKind::time, .description = "plant time of step 0"},
          options_.start);
  season_steps_ = add({.name = "season_steps",
                       .folder = "Season",
                       .kind = TagKind::uint32,
                       .description = "sample periods of the season"},
                      static_cast<std::uint32_t>(simulation_->task().steps));
  progress_ = add({.name = "season_progress",
                   .folder = "Season",
                   .unit = "1",
                   .low = 0.0,
                   .high = 1.0,
                   .description = "share of the season that is over"},
                  0.0);
  season_done_ = add({.name = "season_done",
                      .folder = "Season",
                      .kind = TagKind::boolean,
                      .description = "the season is over; no step follows"},
                     false);
  rewards_ = {specs_.size(), spec().reward_terms.size()};
  for (const env::Variable& term : spec().reward_terms)
    add({.name = term.name,
         .folder = "Economics",
         .unit = term.unit,
         .description = term.description + ", last sample period"},
        0.0);
  return_ = add({.name = "season_return",
                 .folder = "Economics",
                 .unit = spec().reward_terms.empty() ? "1" : spec().reward_terms.front().unit,
                 .description = "sum of every part since the season's start"},
                0.0);
}

void TwinCore::add_control() {
  const auto control = [&](std::string name, TagKind kind, TagAccess access, TagContent content,
                           std::string description) {
    return add({.name = std::move(name),
                .folder = "Control",
                .kind = kind,
                .access = access,
                .description = std::move(description)},
               std::move(content));
  };
  guard_alive_ = control("guard_alive", TagKind::uint32, TagAccess::host, std::uint32_t{0},
                         "the host's heartbeat: when it stops changing the plant sheds to its own control");
  agent_alive_ =
      control("agent_alive", TagKind::uint32, TagAccess::host, std::uint32_t{0}, "the deciding agent's heartbeat");
  shed_tag_ = control("shed", TagKind::boolean, TagAccess::read_only, false,
                      "guard_alive stopped: the plant's own control is in charge");
  local_control_ = control("local_control", TagKind::int32, TagAccess::read_only, std::int32_t{0},
                           "how many outputs the plant's own control or operator has");
  modes_ = {specs_.size(), spec().inputs.size()};
  for (const env::Variable& input : spec().inputs)
    control(input.name + "_mode", TagKind::uint32, TagAccess::operators, kRemote,
            "who sets " + input.name + ": 0 local, 1 remote (the host)");
  if (options_.test_faults)
    fault_ =
        control("test_fault", TagKind::text, TagAccess::host, std::string(),
                "write a sensor's fault: TAG none|stuck|nan|infinite|bad_status|dropout|wrong_type, TAG value NUMBER");
  if (options_.clock == ClockMode::plant)
    advance_ = control("clock_advance", TagKind::uint32, TagAccess::host, std::uint32_t{0},
                       "write clock_step + 1 to have the plant take its next step");
  step_ = control("clock_step", TagKind::uint32, TagAccess::read_only, std::uint32_t{0},
                  "steps taken; published after every other value of the step");
}

std::optional<std::size_t> TwinCore::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(specs_, name, &TagSpec::name);
  if (found == specs_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - specs_.begin());
}

void TwinCore::set(std::size_t tag, TagContent content, TimePoint time) {
  values_[tag] = {std::move(content), time, TagStatus::good};
}

void TwinCore::show_sensors(TimePoint time) {
  for (std::size_t i = 0; i < sensors_.count; ++i)
    apply_fault(faults_[i], {simulation_->snapshot(0).measurements[i], time, TagStatus::good},
                values_[sensors_.first + i]);
}

// Lockstep has the plant's time; on the wall clock a value is as old as a watch says, whatever day the season has.
TimePoint TwinCore::stamp() const noexcept {
  return options_.clock == ClockMode::wall ? wall_.now() : clock_.time_now(wall_.steady());
}

// Every value of the plant as it is after the step just made.
void TwinCore::refresh() {
  const TimePoint now = stamp();
  const env::Snapshot snapshot = simulation_->snapshot(0);
  show_sensors(now);
  for (std::size_t i = 0; i < setpoints_.count; ++i) set(setpoints_.first + i, wanted_[i], now);
  for (std::size_t i = 0; i < applied_.count; ++i) set(applied_.first + i, simulation_->applied(0)[i], now);
  for (std::size_t i = 0; i < exogenous_.count; ++i) set(exogenous_.first + i, snapshot.exogenous[i], now);
  for (std::size_t i = 0; i < forecasts_.count; ++i) {
    std::vector<double> ahead(leads());
    for (std::size_t lead = 0; lead < ahead.size(); ++lead)
      ahead[lead] = snapshot.forecast[lead * exogenous_.count + i];
    set(forecasts_.first + i, std::move(ahead), now);
  }
  if (forecasts_.count > 0) set(issued_, now, now);
  for (std::size_t i = 0; i < rewards_.count; ++i) set(rewards_.first + i, simulation_->reward_terms(0)[i], now);
  set(return_, season_return_, now);
  set(progress_, snapshot.progress, now);
  set(season_done_, done(), now);
  set(step_, clock_.step(), now);
}

void TwinCore::publish(TagSink& sink) {
  const auto all = [&](const Group& group) {
    for (std::size_t i = 0; i < group.count; ++i) sink.publish(group.first + i);
  };
  for (std::size_t i = 0; i < sensors_.count; ++i)
    if (faults_[i].kind != FaultKind::dropout) sink.publish(sensors_.first + i);
  all(setpoints_);
  all(applied_);
  all(exogenous_);
  all(forecasts_);
  if (forecasts_.count > 0) sink.publish(issued_);
  all(rewards_);
  for (const std::size_t tag : {return_, progress_, season_done_, step_}) sink.publish(tag);
}

void TwinCore::publish_sensors(TagSink& sink) {
  show_sensors(stamp());
  for (std::size_t i = 0; i < sensors_.count; ++i)
    if (faults_[i].kind != FaultKind::dropout) sink.publish(sensors_.first + i);
}

bool TwinCore::remote(std::size_t input) const noexcept {
  return !shed_ && std::get<std::uint32_t>(values_[modes_.first + input].content) == kRemote;
}

std::int32_t TwinCore::local_outputs() const noexcept {
  std::int32_t count = 0;
  for (std::size_t i = 0; i < setpoints_.count; ++i) count += remote(i) ? 0 : 1;
  return count;
}

bool TwinCore::step_due() const noexcept { return !done() && clock_.due(wall_.steady()); }

Duration TwinCore::until_due() const noexcept {
  const Duration now = wall_.steady();
  const Duration step = done() ? Duration::max() : clock_.until_due(now);
  if (shed_ || watchdog_.deadline() == Duration::max()) return step;
  return std::min(step, std::max(Duration::zero(), watchdog_.deadline() - now));
}

void TwinCore::step() {
  std::vector<double> local(wanted_.size());
  local_.act(simulation_->truth(0), simulation_->snapshot(0).inputs, local);
  for (std::size_t i = 0; i < wanted_.size(); ++i)
    if (!remote(i)) wanted_[i] = manual_[i].value_or(local[i]);
  take_step();
  refresh();
}

void TwinCore::take_step() {
  simulation_->step(wanted_);
  season_return_ += simulation_->reward(0);
  clock_.advance();
}

void TwinCore::replay(std::span<const double> inputs) {
  std::ranges::copy(inputs, wanted_.begin());
  take_step();
}

std::vector<std::uint32_t> TwinCore::modes() const {
  std::vector<std::uint32_t> modes;
  for (std::size_t i = 0; i < modes_.count; ++i)
    modes.push_back(std::get<std::uint32_t>(values_[modes_.first + i].content));
  return modes;
}

void TwinCore::resume(std::span<const std::uint32_t> modes) {
  RLTUNE_CHECK(modes.size() == modes_.count);
  clock_ = StepClock({options_.clock, options_.start, from_seconds(spec().sample_period_s), options_.speed},
                     clock_.step(), wall_.steady());
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    set(modes_.first + i, modes[i], stamp());
    follow_applied(i);
  }
  refresh();
}

void TwinCore::watch(TagSink& sink) {
  const bool shed = watchdog_.expired(wall_.steady());
  if (shed != shed_) {
    shed_ = shed;
    set(shed_tag_, shed_, stamp());
    changed_.push_back(shed_tag_);
    if (shed_)
      for (std::size_t i = 0; i < wanted_.size(); ++i)
        if (!manual_[i]) follow_applied(i);
  }
  if (const std::int32_t local = local_outputs(); std::get<std::int32_t>(values_[local_control_].content) != local) {
    set(local_control_, local, stamp());
    changed_.push_back(local_control_);
  }
  for (const std::size_t tag : changed_) sink.publish(tag);
  changed_.clear();
}

WriteStatus TwinCore::write(std::size_t tag, const TagContent& content, Role role) {
  const TagSpec& spec = specs_[tag];
  if (spec.access == TagAccess::read_only) return WriteStatus::not_writable;
  if (spec.access == TagAccess::operators && role != Role::operators) return WriteStatus::denied;
  if (content.index() != values_[tag].content.index()) return WriteStatus::wrong_type;
  if (setpoints_.contains(tag)) return write_setpoint(tag - setpoints_.first, std::get<double>(content), role);
  if (modes_.contains(tag)) return write_mode(tag - modes_.first, std::get<std::uint32_t>(content));
  if (tag == fault_) {
    if (const WriteStatus status = write_fault(std::get<std::string>(content)); status != WriteStatus::good)
      return status;
  }
  if (tag == guard_alive_) watchdog_.beat(std::get<std::uint32_t>(content), wall_.steady());
  if (tag == advance_) {
    if (done()) return WriteStatus::wrong_state;
    if (!clock_.request(std::get<std::uint32_t>(content))) return WriteStatus::out_of_range;
  }
  set(tag, content, stamp());
  return WriteStatus::good;
}

WriteStatus TwinCore::write_setpoint(std::size_t input, double value, Role role) {
  const TagSpec& spec = specs_[setpoints_.first + input];
  if (!std::isfinite(value) || value < spec.low || value > spec.high) return WriteStatus::out_of_range;
  if (remote(input) != (role == Role::host)) return WriteStatus::wrong_state;
  if (role == Role::operators) manual_[input] = value;
  wanted_[input] = value;
  set(setpoints_.first + input, value, stamp());
  return WriteStatus::good;
}

WriteStatus TwinCore::write_mode(std::size_t input, std::uint32_t mode) {
  if (mode != kLocal && mode != kRemote) return WriteStatus::out_of_range;
  const std::size_t tag = modes_.first + input;
  if (std::get<std::uint32_t>(values_[tag].content) == mode) return WriteStatus::good;
  manual_[input].reset();
  follow_applied(input);
  set(tag, mode, stamp());
  return WriteStatus::good;
}

// Whoever takes an output over starts from what is applied, not from what the other one asked for last.
void TwinCore::follow_applied(std::size_t input) {
  wanted_[input] = simulation_->snapshot(0).inputs[input];
  set(setpoints_.first + input, wanted_[input], stamp());
  changed_.push_back(setpoints_.first + input);
}

WriteStatus TwinCore::write_fault(std::string_view text) {
  const auto request = parse_fault(text);
  if (!request) return WriteStatus::out_of_range;
  const auto tag = find(request->tag);
  if (!tag || !sensors_.contains(*tag)) return WriteStatus::out_of_range;
  faults_[*tag - sensors_.first] = request->fault;
  return WriteStatus::good;
}

Result<> TwinCore::set_mode(std::string_view mode_tag, std::uint32_t mode) {
  const auto tag = find(mode_tag);
  if (!tag || !modes_.contains(*tag)) {
    std::string valid;
    for (std::size_t i = 0; i < modes_.count; ++i) valid += (i > 0 ? ", " : "") + specs_[modes_.first + i].name;
    return fail(Errc::not_found, std::format("no mode tag '{}'; there are {}", mode_tag, valid));
  }
  if (std::get<std::uint32_t>(values_[*tag].content) == mode) return {};
  if (write_mode(*tag - modes_.first, mode) != WriteStatus::good)
    return fail(Errc::invalid_argument, std::format("{}: {} is not 0 (local) or 1 (remote)", mode_tag, mode));
  changed_.push_back(*tag);
  return {};
}

}  // namespace rltune::twin
