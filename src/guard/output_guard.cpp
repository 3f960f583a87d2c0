#include "output_guard.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "elapsed.hpp"
#include "rltune/guard/guard.hpp"

namespace rltune::guard {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::uint32_t bit(Reason reason) { return static_cast<std::uint32_t>(reason); }

}  // namespace

OutputGuard::OutputGuard(const config::OutputRule& rule, Duration period, Duration lag)
    : rule_(rule),
      period_(period),
      lag_(lag),
      minimum_on_(from_seconds(rule.minimum_on_s)),
      minimum_off_(from_seconds(rule.minimum_off_s)),
      slack_(1e-9 * (rule.limits.high - rule.limits.low)),
      same_(1e-6 * (rule.limits.high - rule.limits.low)) {
  if (rule.starts_per_hour <= 0.0) return;
  // A rate that is no whole number becomes whole over another window: 0.5 an hour is one in two hours.
  const double starts = std::max(1.0, std::floor(rule.starts_per_hour));
  starts_window_ = from_seconds(std::min(1e9, 3600.0 * starts / rule.starts_per_hour));
  starts_.assign(static_cast<std::size_t>(starts), TimePoint::min());
}

double OutputGuard::clip(double value) const noexcept { return std::clamp(value, rule_.limits.low, rule_.limits.high); }

void OutputGuard::see(const Sample& live, TimePoint now) noexcept {
  if (live.quality == Quality::bad || !std::isfinite(live.value)) return;
  latest_source_ = live.source_time;
  if (!known_) {
    known_ = true;
    on_ = is_on(live.value);
    switched_ = now;
    return take(live.value, now);
  }
  if (live.source_time == seen_source_ || is_echo(live.value, now)) return;
  if (std::abs(live.value - value_) <= same_) {
    pending_ = false;
    possible_ = {value_, value_};
    return;
  }
  take(live.value, now);
}

void OutputGuard::follow(const Sample& live, TimePoint now) noexcept {
  if (!known_ || live.quality == Quality::bad || !std::isfinite(live.value)) return see(live, now);
  latest_source_ = live.source_time;
  if (std::abs(live.value - value_) > same_) return take(live.value, now);
  pending_ = false;
  possible_ = {value_, value_};
}

void OutputGuard::resume(const Sample& live, TimePoint now) noexcept {
  if (!known_ || live.source_time != seen_source_) return follow(live, now);
  if (live.quality == Quality::bad || !std::isfinite(live.value)) return;
  // The sample may still be from before the outage: either value is possible.
  possible_ = {std::min(possible_.low, live.value), std::max(possible_.high, live.value)};
  pending_ = true;
}

// A value that somebody else set is where every limit starts from.
void OutputGuard::take(double value, TimePoint now) noexcept {
  value_ = value;
  possible_ = {value, value};
  pending_ = false;
  since_ = now;
  echoes_[0] = echoes_[1] = {value, value};
  echo_start_ = now;
  if (is_on(value) != on_) switched(is_on(value), now);
}

OutputGuard::Bounds OutputGuard::reach(TimePoint now) const noexcept {
  double half = rule_.step_max > 0.0 ? rule_.step_max : kInfinity;
  if (rule_.rate_per_s > 0.0)
    half = std::min(half, rule_.rate_per_s * to_seconds(std::min(elapsed(since_, now), period_)));
  return {possible_.high - half, possible_.low + half};
}

Settled OutputGuard::settle(double wanted, double room, TimePoint now) const noexcept {
  Settled out{.value = clip(wanted)};
  if (wanted > out.value) out.reasons |= bit(Reason::limit_high);
  if (wanted < out.value) out.reasons |= bit(Reason::limit_low);
  // A sum of roundings is no reason to move what already stands there.
  if (room < value_ && value_ <= room + slack_) room = value_;
  if (out.value > room) {
    if (out.value > room + slack_) out.reasons |= bit(Reason::budget);
    out.value = clip(room);
  }
  keep_pace(out, now);
  if (out.value > room + slack_ && out.value > possible_.low + slack_) {
    out.value = value_;
    out.reasons |= bit(Reason::budget);
    out.held = true;
  }
  return out;
}

void OutputGuard::keep_pace(Settled& out, TimePoint now) const noexcept {
  if (out.value != value_) {
    // What was written last is always within reach again, also where the interval leaves nothing else.
    Bounds bounds = reach(now);
    if (bounds.low > bounds.high) bounds = {value_, value_};
    if (out.value < bounds.low - slack_ || out.value > bounds.high + slack_) {
      out.value = clip(std::clamp(out.value, bounds.low, bounds.high));
      out.reasons |= bit(Reason::rate);
    }
  }
  if (is_on(out.value) == on_) return;
  if (const std::uint32_t fault = switching_fault(!on_, now); fault != 0) {
    out.value = clip(value_);
    out.reasons |= fault;
    out.held = true;
  }
}

std::uint32_t OutputGuard::switching_fault(bool to_on, TimePoint now) const noexcept {
  const Duration lasted = elapsed(switched_, now);
  if (!to_on) return minimum_on_ > Duration::zero() && lasted < minimum_on_ ? bit(Reason::minimum_on_time) : 0;
  std::uint32_t faults = 0;
  if (minimum_off_ > Duration::zero() && lasted < minimum_off_) faults |= bit(Reason::minimum_off_time);
  if (starts_used_up(now)) faults |= bit(Reason::starts_per_hour);
  return faults;
}

bool OutputGuard::starts_used_up(TimePoint now) const noexcept {
  return !starts_.empty() && starts_[next_start_] != TimePoint::min() &&
         elapsed(starts_[next_start_], now) < starts_window_;
}

void OutputGuard::switched(bool to_on, TimePoint now) noexcept {
  on_ = to_on;
  switched_ = now;
  if (!to_on || starts_.empty()) return;
  starts_[next_start_] = now;
  next_start_ = (next_start_ + 1) % starts_.size();
}

void OutputGuard::write(double value, TimePoint now) noexcept {
  if (known_ && !pending_ && value == value_) return;  // nothing changes, so no rate starts anew
  possible_ = pending_ ? Bounds{std::min(possible_.low, value), std::max(possible_.high, value)}
                       : Bounds{std::min(value_, value), std::max(value_, value)};
  if (!known_) {
    possible_ = echoes_[0] = echoes_[1] = {value, value};
    echo_start_ = now;
    known_ = true;
  }
  value_ = value;
  since_ = now;
  seen_source_ = latest_source_;
  remember_echo(value, now);
  if (is_on(value) != on_) {
    switched(is_on(value), now);
  } else if (pending_ && is_on(possible_.low) != is_on(possible_.high)) {
    // An earlier write of this switch may have been lost: it may happen only now.
    switched_ = now;
    if (on_ && !starts_.empty()) starts_[(next_start_ + starts_.size() - 1) % starts_.size()] = now;
  }
  pending_ = true;
}

void OutputGuard::confirm(double value, TimePoint time) noexcept {
  if (!std::isfinite(value)) return;
  if (!known_ || std::abs(value - value_) > same_) {
    known_ = true;
    return take(value, time);
  }
  pending_ = false;
  possible_ = {value_, value_};
}

bool OutputGuard::is_echo(double value, TimePoint now) const noexcept {
  if (elapsed(since_, now) > lag_) return false;
  const double low = std::min(echoes_[0].low, echoes_[1].low);
  const double high = std::max(echoes_[0].high, echoes_[1].high);
  return value >= low - same_ && value <= high + same_;
}

void OutputGuard::remember_echo(double value, TimePoint now) noexcept {
  if (elapsed(echo_start_, now) > lag_) {
    echoes_[1] = elapsed(echo_start_, now) > 2 * lag_ ? possible_ : echoes_[0];
    echoes_[0] = possible_;
    echo_start_ = now;
  }
  echoes_[0] = {std::min(echoes_[0].low, value), std::max(echoes_[0].high, value)};
}

void OutputGuard::take_over(const OutputGuard& before, TimePoint now) noexcept {
  known_ = before.known_;
  value_ = before.value_;
  possible_ = before.possible_;
  pending_ = before.pending_;
  since_ = before.since_;
  seen_source_ = before.seen_source_;
  latest_source_ = before.latest_source_;
  echo_start_ = before.echo_start_;
  std::ranges::copy(before.echoes_, echoes_);
  // The newest starts, as many as both remember, the oldest of them in the slot that is used next.
  const std::size_t kept = std::min(starts_.size(), before.starts_.size());
  for (std::size_t i = 0; i < kept; ++i)
    starts_[starts_.size() - 1 - i] =
        before.starts_[(before.next_start_ + before.starts_.size() - 1 - i) % before.starts_.size()];
  next_start_ = 0;
  // Where only the rule makes it another state, since when is not known: the run times begin now.
  on_ = known_ && is_on(value_);
  switched_ = on_ == before.on_ ? before.switched_ : now;
}

void OutputGuard::rewind(TimePoint now) noexcept {
  since_ = std::min(since_, now);
  switched_ = std::min(switched_, now);
  echo_start_ = std::min(echo_start_, now);
  for (TimePoint& start : starts_) start = std::min(start, now);
}

}  // namespace rltune::guard
