#include "pid_loop.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace rltune::controllers {
namespace {

// A first-order process y' = (gain u - y) / tau, stepped exactly.
double respond(double value, double input, double gain, double tau_s, double period_s) {
  const double target = gain * input;
  return target + (value - target) * std::exp(-period_s / tau_s);
}

TEST(PidLoop, first_output_after_reset_is_the_applied_input) {
  PidLoop loop(
      {.proportional = 3.0, .integral_per_s = 0.2, .derivative_s = 1.5, .filter_s = 1.0, .setpoint_weight = 0.4}, 1.0);
  loop.reset(20.0, 14.0, 7.25);
  EXPECT_DOUBLE_EQ(loop.act(20.0, 14.0, 7.25), 7.25);
}

TEST(PidLoop, integral_action_removes_the_offset) {
  PidLoop loop({.proportional = 1.0, .integral_per_s = 0.2}, 1.0);
  double value = 0.0, input = 0.0;
  loop.reset(5.0, value, input);
  for (int step = 0; step < 300; ++step) {
    input = loop.act(5.0, value, input);
    value = respond(value, input, 2.0, 10.0, 1.0);
  }
  EXPECT_NEAR(value, 5.0, 1e-6);
  EXPECT_NEAR(input, 2.5, 1e-6);
}

// Saturated for long, then the set-point comes down: without tracking the integrator would hold the output up.
int steps_until_released(double tracking) {
  PidLoop loop({.proportional = 1.0, .integral_per_s = 0.5, .tracking = tracking}, 1.0);
  loop.reset(100.0, 0.0, 0.0);
  double applied = 0.0;
  for (int step = 0; step < 200; ++step) applied = std::clamp(loop.act(100.0, 0.0, applied), 0.0, 1.0);
  for (int step = 0; step < 1000; ++step) {
    applied = std::clamp(loop.act(-5.0, 0.0, applied), 0.0, 1.0);
    if (applied <= 0.0) return step;
  }
  return 1000;
}

TEST(PidLoop, tracking_prevents_windup) {
  EXPECT_LE(steps_until_released(1.0), 1);
  EXPECT_GT(steps_until_released(0.0), 100);
}

TEST(PidLoop, derivative_acts_on_the_value_and_is_filtered) {
  const PidGains sharp{.derivative_s = 2.0, .filter_s = 0.0}, smooth{.derivative_s = 2.0, .filter_s = 3.0};
  PidLoop a(sharp, 1.0), b(smooth, 1.0);
  a.reset(0.0, 0.0, 0.0);
  b.reset(0.0, 0.0, 0.0);
  EXPECT_DOUBLE_EQ(a.act(10.0, 0.0, 0.0), 0.0);  // a set-point step makes no derivative kick
  EXPECT_DOUBLE_EQ(b.act(10.0, 0.0, 0.0), 0.0);
  EXPECT_DOUBLE_EQ(a.act(10.0, 1.0, 0.0), -2.0);
  EXPECT_DOUBLE_EQ(b.act(10.0, 1.0, 0.0), -0.5);
}

}  // namespace
}  // namespace rltune::controllers
