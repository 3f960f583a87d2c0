#include "step_clock.hpp"

namespace rltune::twin {

bool StepClock::request(std::uint32_t target) noexcept {
  if (options_.mode != ClockMode::plant) return false;
  if (target == step_) return true;
  if (target != step_ + 1) return false;
  requested_ = true;
  return true;
}

Duration StepClock::due_at() const noexcept {
  const double plant_s = to_seconds(options_.period) * static_cast<double>(step_ + 1 - anchor_step_);
  return anchor_ + from_seconds(plant_s / options_.speed);
}

bool StepClock::due(Duration now) const noexcept {
  return options_.mode == ClockMode::plant ? requested_ : now >= due_at();
}

void StepClock::advance() noexcept {
  ++step_;
  requested_ = false;
}

Duration StepClock::until_due(Duration now) const noexcept {
  if (options_.mode == ClockMode::plant) return requested_ ? Duration::zero() : Duration::max();
  const Duration at = due_at();
  return at > now ? at - now : Duration::zero();
}

TimePoint StepClock::time_now(Duration now) const noexcept {
  if (options_.mode == ClockMode::plant) return time();
  const TimePoint elapsed = time_of(anchor_step_) + from_seconds(to_seconds(now - anchor_) * options_.speed);
  return elapsed < time() ? time() : elapsed;
}

}  // namespace rltune::twin
