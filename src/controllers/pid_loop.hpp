// One PID loop in positional form with two degrees of freedom (Astrom & Hagglund, Advanced PID Control, 2006,
// chapters 3 and 5): proportional action on weight*setpoint - value, integral action on the error, derivative
// action on the filtered value alone. Anti-windup by back-calculation from what was really applied, so that limits,
// rate limits and whoever else moved the actuator are all tracked. Bumpless: reset() makes act() return `applied`.
//
// Threads: one loop belongs to one thread. Memory: none.
#pragma once

namespace rltune::controllers {

struct PidGains {
  double proportional = 0.0;  // input unit per measurement unit
  double integral_per_s = 0.0;
  double derivative_s = 0.0;
  double filter_s = 0.0;  // time constant of the derivative's first-order filter
  double setpoint_weight = 1.0;
  double tracking = 1.0;  // share of the difference to the applied value that the integrator takes a step
};

class PidLoop {
 public:
  PidLoop(const PidGains& gains, double sample_period_s) noexcept;

  void reset(double setpoint, double value, double applied) noexcept;
  // `applied` is the input in force during the period that ends now. Returns the wanted input, without limits.
  double act(double setpoint, double value, double applied) noexcept;

 private:
  PidGains gains_;
  double period_s_, filter_share_;
  double integral_ = 0.0, last_value_ = 0.0, slope_ = 0.0, wanted_ = 0.0;
};

}  // namespace rltune::controllers
