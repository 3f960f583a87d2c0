#include "rltune/base/clock.hpp"

namespace rltune {

TimePoint WallClock::now() const noexcept {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

Duration WallClock::steady() const noexcept {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace rltune
