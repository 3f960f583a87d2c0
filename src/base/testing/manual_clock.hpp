// A clock that moves only when the test says so.
#pragma once

#include "rltune/base/clock.hpp"

namespace rltune {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimePoint start = TimePoint{}) : now_(start) {}
  TimePoint now() const noexcept override { return now_; }
  Duration steady() const noexcept override { return steady_; }
  void advance(Duration step) {
    now_ += step;
    steady_ += step;
  }
  void jump(Duration step) { now_ += step; }  // as NTP or a person does: UTC alone

 private:
  TimePoint now_;
  Duration steady_{};
};

}  // namespace rltune
