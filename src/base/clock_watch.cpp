#include "rltune/base/clock_watch.hpp"

#include <sys/timex.h>

#include <algorithm>

namespace rltune {
namespace {

// The two clocks are read one after the other. Of three tries the quickest counts: a thread that was put aside between
// them has seen no step.
Duration wall_less_steady(const Clock& clock) noexcept {
  Duration best{}, shortest = Duration::max();
  for (int i = 0; i < 3; ++i) {
    const Duration before = clock.steady();
    const Duration wall = clock.now().time_since_epoch();
    const Duration took = clock.steady() - before;
    if (took >= shortest) continue;
    shortest = took;
    best = wall - before - took / 2;
  }
  return best;
}

}  // namespace

NtpState kernel_ntp_state() noexcept {
  timex state{};
  const int result = ::adjtimex(&state);
  return {.synchronised = result >= 0 && result != TIME_ERROR && (state.status & STA_UNSYNC) == 0,
          .error_s_max = 1e-6 * static_cast<double>(state.maxerror)};
}

ClockWatch::ClockWatch(const Clock& clock, std::function<NtpState()> ntp)
    : clock_(clock), ntp_(std::move(ntp)), ntp_state_(ntp_()), offset_(wall_less_steady(clock)) {}

ClockWatch::Change ClockWatch::look() noexcept {
  const Duration offset = wall_less_steady(clock_);
  const Duration moved = offset - std::exchange(offset_, offset);
  if (std::chrono::abs(moved) >= kStepLeast) {
    last_step_ = moved;
    sum_ += std::chrono::abs(moved);
    stepped_ = clock_.steady();
    ++steps_;
    return Change::stepped;
  }
  const NtpState before = std::exchange(ntp_state_, ntp_());
  if (before.synchronised == ntp_state_.synchronised) return Change::none;
  return ntp_state_.synchronised ? Change::ntp_back : Change::ntp_lost;
}

}  // namespace rltune
