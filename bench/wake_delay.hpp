// A thread that does nothing but sleep, beside a benchmark: how late it wakes is how long the machine itself kept what
// was due from running.
#pragma once

#include <atomic>
#include <thread>

#include "rltune/base/clock.hpp"

namespace rltune::bench {

class WakeDelay {
 public:
  WakeDelay()
      : thread_([this](const std::stop_token& stop) {
          // By the wall clock, which goes on where a virtual machine stands still.
          for (TimePoint before = WallClock().now(); !stop.stop_requested();) {
            std::this_thread::sleep_for(kSleep);
            const TimePoint now = WallClock().now();
            const double late = 1e3 * to_seconds(now - before - kSleep);
            if (late > longest_ms_) longest_ms_ = late;
            before = now;
          }
        }) {}
  double longest_ms() const noexcept { return longest_ms_; }

 private:
  static constexpr std::chrono::milliseconds kSleep{5};
  std::atomic<double> longest_ms_ = 0.0;
  std::jthread thread_;  // last: it uses what stands above
};

}  // namespace rltune::bench
