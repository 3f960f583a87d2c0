// Notices when the wall clock is not to be trusted: a step (somebody or NTP set it), seen against the clock that never
// goes back, and the loss of NTP, as the kernel tells it. What the roles time is timed by the steady clock; this is for
// the operator.
//
// Threads: one. look() reads two clocks and asks the kernel once; it allocates nothing.
#pragma once

#include <cstdint>
#include <functional>

#include "rltune/base/clock.hpp"

namespace rltune {

struct NtpState {
  bool synchronised = false;
  double error_s_max = 0.0;  // the kernel's estimate
};
// adjtimex(2).
NtpState kernel_ntp_state() noexcept;

class ClockWatch {
 public:
  // A slew of 500 ppm moves 0.5 ms in a second; NTP steps from 128 ms on.
  static constexpr Duration kStepLeast = std::chrono::milliseconds(100);

  explicit ClockWatch(const Clock& clock, std::function<NtpState()> ntp = kernel_ntp_state);

  enum class Change : std::uint8_t { none, stepped, ntp_lost, ntp_back };
  // What happened since the last look; about once a second. A step goes before a change of NTP, which is told next.
  Change look() noexcept;

  double last_step_s() const noexcept { return to_seconds(last_step_); }  // positive: forward
  double steps_s_sum() const noexcept { return to_seconds(sum_); }        // of their sizes
  std::uint64_t steps() const noexcept { return steps_; }
  Duration since_step() const noexcept { return clock_.steady() - stepped_; }
  bool synchronised() const noexcept { return ntp_state_.synchronised; }
  double error_s_max() const noexcept { return ntp_state_.error_s_max; }

 private:
  const Clock& clock_;
  std::function<NtpState()> ntp_;
  NtpState ntp_state_;
  Duration offset_{};  // wall less steady
  Duration last_step_{}, sum_{}, stepped_{};
  std::uint64_t steps_ = 0;
};

}  // namespace rltune
