// The rules of one set-point and what is remembered of it.
//
// What the plant holds is not always known: a write may be lost, its acknowledgement may be lost, and the
// subscription that shows the value lags behind. So the memory is an interval of values that the plant may
// hold, and a new value must be within reach of all of them.
#pragma once

#include <cstdint>
#include <vector>

#include "rltune/base/sample.hpp"
#include "rltune/base/time.hpp"
#include "rltune/config/site.hpp"

namespace rltune::guard {

struct Settled {
  double value = 0.0;
  std::uint32_t reasons = 0;
  bool held = false;
};

class OutputGuard {
 public:
  // `period`: the owner's; a pause longer than it earns no larger change. `lag`: how long the subscription may
  // go on showing values from before a write.
  OutputGuard(const config::OutputRule& rule, Duration period, Duration lag);

  // Takes the live value: foreign changes become the base of the rate limits.
  void see(const Sample& live, TimePoint now) noexcept;
  // As see(), where we are not the writer: the live value is the truth, whatever we wrote last.
  void follow(const Sample& live, TimePoint now) noexcept;
  // As see(), after an outage: the plant may have restarted with an older value.
  void resume(const Sample& live, TimePoint now) noexcept;
  bool known() const noexcept { return known_; }
  double value() const noexcept { return value_; }
  double safe_value() const noexcept { return rule_.safe_value; }
  // What the plant may hold lies between them. REQUIRES: known().
  double least() const noexcept { return possible_.low; }
  double most() const noexcept { return possible_.high; }
  double clip(double value) const noexcept;

  // The nearest value to `wanted` that the rules allow now. `room`: what a shared budget leaves it; where rates and
  // run times allow nothing that is as low, it is not raised. REQUIRES: known(), wanted is finite.
  Settled settle(double wanted, double room, TimePoint now) const noexcept;
  // The value goes out now. It counts as possible until confirm() or the live value tells.
  void write(double value, TimePoint now) noexcept;
  // The plant holds this value.
  void confirm(double value, TimePoint time) noexcept;
  // What was remembered of the same set-point under other rules.
  void take_over(const OutputGuard& before, TimePoint now) noexcept;
  // Time went back: nothing remembered may lie in the future, where it would hold for too long.
  void rewind(TimePoint now) noexcept;

 private:
  struct Bounds {
    double low, high;
  };
  bool is_on(double value) const noexcept { return value > rule_.on_above; }
  void keep_pace(Settled& out, TimePoint now) const noexcept;
  Bounds reach(TimePoint now) const noexcept;
  std::uint32_t switching_fault(bool to_on, TimePoint now) const noexcept;
  bool starts_used_up(TimePoint now) const noexcept;
  void take(double value, TimePoint now) noexcept;
  void switched(bool to_on, TimePoint now) noexcept;
  bool is_echo(double value, TimePoint now) const noexcept;
  void remember_echo(double value, TimePoint now) noexcept;

  config::OutputRule rule_;
  Duration period_, lag_, minimum_on_, minimum_off_, starts_window_{};
  double slack_;  // relative to the limits: a policy's own arithmetic may pass a rate by a rounding
  double same_;   // values this near are the same: servers store 32 bits

  bool known_ = false;
  double value_ = 0.0;  // last written or seen
  Bounds possible_{};   // what the plant may hold; one value when nothing is pending
  bool pending_ = false;
  TimePoint since_{};                         // of the last write or foreign change
  TimePoint seen_source_ = TimePoint::min();  // of the live sample known at the last write
  TimePoint latest_source_{};
  TimePoint echo_start_{};  // two windows of recent values, newest first
  Bounds echoes_[2]{};
  bool on_ = false;
  TimePoint switched_{};
  std::vector<TimePoint> starts_;  // ring of the last starts, as many as the rule allows
  std::size_t next_start_ = 0;
};

}  // namespace rltune::guard
