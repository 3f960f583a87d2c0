// The one injectable clock. Roles take a Clock&; tests advance a ManualClock (testing/manual_clock.hpp).
//
// Threads: now() and steady() may be called from any thread.
#pragma once

#include "rltune/base/time.hpp"

namespace rltune {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const noexcept = 0;    // UTC; may step
  virtual Duration steady() const noexcept = 0;  // since an unnamed start; never goes back
};

class WallClock final : public Clock {
 public:
  TimePoint now() const noexcept override;
  Duration steady() const noexcept override;
};

}  // namespace rltune
