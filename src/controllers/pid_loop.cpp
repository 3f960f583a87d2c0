#include "pid_loop.hpp"

#include <algorithm>

namespace rltune::controllers {

PidLoop::PidLoop(const PidGains& gains, double sample_period_s) noexcept
    : gains_(gains),
      period_s_(sample_period_s),
      filter_share_(sample_period_s / (sample_period_s + std::max(0.0, gains.filter_s))) {}

void PidLoop::reset(double setpoint, double value, double applied) noexcept {
  integral_ = applied - gains_.proportional * (gains_.setpoint_weight * setpoint - value);
  last_value_ = value;
  slope_ = 0.0;
  wanted_ = applied;
}

double PidLoop::act(double setpoint, double value, double applied) noexcept {
  integral_ += gains_.tracking * (applied - wanted_);
  slope_ += filter_share_ * ((value - last_value_) / period_s_ - slope_);
  last_value_ = value;
  wanted_ =
      gains_.proportional * (gains_.setpoint_weight * setpoint - value) + integral_ - gains_.derivative_s * slope_;
  integral_ += gains_.integral_per_s * (setpoint - value) * period_s_;
  return wanted_;
}

}  // namespace rltune::controllers
