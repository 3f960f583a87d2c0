// When the plant takes its next step. Pure: wall time (the steady clock) is an argument.
//
//   wall    plant time = start + speed x wall time; the steps follow by themselves
//   plant   lockstep: a step is taken when a client has written its number to clock_advance
#pragma once

#include <cstdint>

#include "rltune/base/time.hpp"
#include "rltune/twin/twin.hpp"

namespace rltune::twin {

class StepClock {
 public:
  struct Options {
    ClockMode mode = ClockMode::wall;
    TimePoint start{};   // plant time of step 0
    Duration period{};   // plant time of one step
    double speed = 1.0;  // wall mode
  };

  StepClock(const Options& options, std::uint32_t step, Duration now) noexcept
      : options_(options), step_(step), anchor_step_(step), anchor_(now) {}

  std::uint32_t step() const noexcept { return step_; }
  ClockMode mode() const noexcept { return options_.mode; }
  TimePoint time() const noexcept { return time_of(step_); }
  TimePoint time_of(std::uint32_t step) const noexcept { return options_.start + options_.period * step; }

  // Lockstep: asks for step `target`. False unless it is the next one, or the present one again: a client
  // that lost the answer may repeat itself.
  bool request(std::uint32_t target) noexcept;

  bool due(Duration now) const noexcept;
  void advance() noexcept;

  // Wall mode: wall time until the next step, zero when due; plant mode: Duration::max().
  Duration until_due(Duration now) const noexcept;

  // Plant time between steps, for values that are shown again before the next step.
  TimePoint time_now(Duration now) const noexcept;

 private:
  Duration due_at() const noexcept;

  Options options_;
  std::uint32_t step_;
  std::uint32_t anchor_step_;
  Duration anchor_;
  bool requested_ = false;
};

}  // namespace rltune::twin
