// When a decision is due on the wall clock: with the first fresh samples once a period is over, or by the
// timer half a period later when none came; the pipeline then finds them stale.
#pragma once

#include <algorithm>

#include "rltune/base/time.hpp"

namespace rltune::agent {

class DecisionSchedule {
 public:
  explicit DecisionSchedule(Duration period) noexcept : period_(period) {}

  // Samples that come a little early count: a sensor's clock is not ours.
  bool due_with_samples(Duration now) const noexcept { return now >= due_ - period_ / 10; }
  bool overdue(Duration now) const noexcept { return now >= due_ + period_ / 2; }
  Duration until_overdue(Duration now) const noexcept { return std::max(Duration::zero(), due_ + period_ / 2 - now); }
  void decided(Duration now) noexcept { due_ = now + period_; }
  void start(Duration now) noexcept { due_ = now; }

 private:
  Duration period_;
  Duration due_{};
};

}  // namespace rltune::agent
