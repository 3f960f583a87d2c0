// A plant that takes what a guard lets through, and knows what no guard may ever let through. Its rules are written
// anew here, from the site's figures: it shares no code with the guard.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <optional>
#include <string>

#include "guarded_site.hpp"
#include "rltune/guard/guard.hpp"

namespace rltune::guard {

class GuardChecker {
 public:
  static constexpr std::size_t kOutputs = 4;
  // Everything that may be random about one decision.
  struct Turn {
    Duration wait{};
    std::array<OutputProposal, kOutputs> proposals, fallback;
    std::optional<double> by_hand;  // a person's value for pipe
    std::optional<double> by_dcs;   // the DCS's value for heating, where it has taken it
    std::optional<Mode> mode;       // from now on
    bool supervised = false;        // a look at the interlocks alone
    double temperature = 20.0, pressure = 5.0, heating_mode = 1.0;
    bool temperature_bad = false;
    bool link_up = true, agent_alive = true, acknowledged = true;
    std::uint32_t agent = 0;
  };

  GuardChecker() : guard_(std::move(*Guard::create(site_))) {}

  // The first rule that this turn broke, or nothing.
  std::optional<std::string> turn(const Turn& turn) {
    now_ += turn.wait;
    plant_.refresh(now_);
    plant_.set(kTemperature, turn.temperature, now_);
    plant_.set(kPressure, turn.pressure, now_);
    plant_.set(kHeatingMode, turn.heating_mode, now_);
    if (turn.temperature_bad) plant_.samples[kTemperature].quality = Quality::bad;
    if (turn.by_dcs && turn.heating_mode != 1.0) take_over(*turn.by_dcs);
    if (turn.mode) guard_.set_mode(*turn.mode);
    const GuardInput input{.now = now_,
                           .tags = plant_.samples,
                           .proposals = turn.proposals,
                           .fallback = turn.fallback,
                           .agent = turn.agent,
                           .agent_alive = turn.agent_alive,
                           .link_up = turn.link_up,
                           .interlocks_only = turn.supervised};
    if (turn.by_hand)
      if (auto breach = take(kByHand, guard_.decide_manual(kByHand, *turn.by_hand, input), turn)) return breach;
    std::array<OutputVerdict, kOutputs> verdicts;
    guard_.decide(input, verdicts);
    for (std::size_t i = 0; i < verdicts.size(); ++i)
      if (auto breach = take(i, verdicts[i], turn)) return breach;
    return std::nullopt;
  }

  std::uint64_t writes() const noexcept { return writes_; }
  std::uint64_t changes() const noexcept { return changes_; }
  std::uint64_t rationed() const noexcept { return rationed_; }

 private:
  static constexpr double kSlack = 1e-6;
  static constexpr std::size_t kByHand = 3;
  static constexpr std::array<std::size_t, kOutputs> kTags{kHeating, kFan, kRail, kPipe};
  static constexpr std::array<std::uint32_t, kOutputs> kOwners{0, 1, 1, 99};

  std::optional<std::string> take(std::size_t output, const OutputVerdict& verdict, const Turn& turn) {
    if (verdict.action == Action::withheld) return std::nullopt;
    if ((verdict.reasons & static_cast<std::uint32_t>(Reason::budget)) != 0) ++rationed_;
    if (auto breach = write(output, verdict.value, turn)) return breach;
    if (turn.acknowledged) guard_.applied(output, verdict.value, now_);
    return std::nullopt;
  }

  void take_over(double value) {
    plant_.set(kHeating, value, now_);
    changed_[0] = now_;
    foreign_ = true;
  }

  // What the boiler's outputs hold; `reserved`: or may be raised to at any moment, by a limit or an interlock.
  double boiler(bool reserved) const {
    const double rail = plant_.samples[kRail].value;
    return plant_.samples[kHeating].value + (reserved ? std::max(rail, 10.0) : rail) + plant_.samples[kPipe].value;
  }

  bool tripped(std::size_t output, const Turn& turn) const {
    // As the site's conditions read: "temperature < 38" and "not(pressure > 8)"; outside its range a sensor is wrong.
    if (output == 0) return turn.temperature_bad || !(turn.temperature < 38.0) || turn.temperature < -20.0;
    if (output == kByHand) return false;
    return !(turn.pressure <= 8.0) || turn.pressure < 0.0;
  }

  std::optional<std::string> write(std::size_t output, double value, const Turn& turn) {
    ++writes_;
    const config::OutputRule& rule = site_.guard.outputs[output];
    const std::size_t tag = kTags[output];
    const double before = plant_.samples[tag].value;
    if (!turn.link_up) return "written while the link was down";
    if (!std::isfinite(value)) return "wrote a value that is not finite";
    if (value < rule.limits.low || value > rule.limits.high) return "wrote outside the limits of " + rule.tag;
    if (output == 0 && turn.heating_mode != 1.0) return "wrote what the DCS has taken";
    const bool safe = tripped(output, turn);
    if (safe && value != rule.safe_value) return "an interlock of " + rule.tag + " did not write its safe value";
    if (!safe && output != kByHand && turn.agent != kOwners[output]) return "an agent wrote another's output";
    if (!safe) {
      if (auto breach = pace(rule, output, before, value)) return breach;
      if (auto breach = switching(rule, output, before, value)) return breach;
    }
    remember(rule, output, before, value);
    plant_.set(tag, value, now_);
    return shared(rule, before, value, safe);
  }

  // Nobody is raised beyond what the boiler has. What the DCS asks of it is not the guard's doing.
  std::optional<std::string> shared(const config::OutputRule& rule, double before, double value, bool safe) {
    const double limit = site_.budgets[0].limit;
    foreign_ = foreign_ && boiler(true) > limit;
    if (rule.tag == "fan" || value <= before + kSlack || boiler(false) <= limit + kSlack) return std::nullopt;
    if (safe && foreign_) return std::nullopt;
    return rule.tag + " was raised beyond what the boiler has";
  }

  std::optional<std::string> pace(const config::OutputRule& rule, std::size_t output, double before,
                                  double value) const {
    const double change = std::abs(value - before), slack = kSlack * (rule.limits.high - rule.limits.low);
    if (rule.step_max > 0.0 && change > rule.step_max + slack) return rule.tag + " changed by more than its step";
    const double seconds = to_seconds(now_ - changed_[output]);
    if (rule.rate_per_s > 0.0 && change > rule.rate_per_s * seconds + slack)
      return rule.tag + " changed faster than its rate";
    return std::nullopt;
  }

  std::optional<std::string> switching(const config::OutputRule& rule, std::size_t output, double before,
                                       double value) const {
    const bool was_on = before > rule.on_above, is_on = value > rule.on_above;
    if (was_on == is_on || rule.minimum_on_s + rule.minimum_off_s + rule.starts_per_hour == 0.0) return std::nullopt;
    const double lasted = to_seconds(now_ - switched_[output]);
    if (was_on && lasted < rule.minimum_on_s) return rule.tag + " was on for too short a time";
    if (!was_on && lasted < rule.minimum_off_s) return rule.tag + " was off for too short a time";
    const auto in_the_hour =
        std::ranges::count_if(starts_, [this](TimePoint start) { return now_ - start < std::chrono::hours(1); });
    if (is_on && rule.starts_per_hour > 0.0 && static_cast<double>(in_the_hour) >= rule.starts_per_hour)
      return rule.tag + " was started too often";
    return std::nullopt;
  }

  void remember(const config::OutputRule& rule, std::size_t output, double before, double value) {
    if (value != before) {
      ++changes_;
      changed_[output] = now_;
    }
    if ((before > rule.on_above) == (value > rule.on_above)) return;
    switched_[output] = now_;
    if (output != 1) return;
    if (value > rule.on_above) starts_.push_back(now_);
    if (starts_.size() > 100) starts_.pop_front();
  }

  static std::array<TimePoint, kOutputs> started() {
    std::array<TimePoint, kOutputs> times;
    times.fill(GuardedPlant::kStart);
    return times;
  }

  config::Site site_ = shared_site();
  Guard guard_;
  GuardedPlant plant_{site_};
  TimePoint now_ = GuardedPlant::kStart;
  std::array<TimePoint, kOutputs> changed_ = started(), switched_ = started();
  std::deque<TimePoint> starts_;
  std::uint64_t writes_ = 0, changes_ = 0, rationed_ = 0;
  bool foreign_ = false;  // the DCS asked the boiler for more than is left
};

}  // namespace rltune::guard
