// A pilot site at its real pace: the twin's clock is the wall clock, and its sensors speak ten times a second.
#pragma once

#include "pilot_site.hpp"

namespace rltune::bench {

inline testing::PilotOptions live_options(bool learning) {
  const TimePoint now = WallClock().now();
  return {.lockstep = false,
          .period_s = 0.1,
          .speed = 1.0,
          .stale_after_s = 7200.0,  // weather and set-points speak once a step of half an hour
          .learning = learning,
          .twin_arguments = {"--start", format_rfc3339(now), "--sample-period", "0.1"}};
}

}  // namespace rltune::bench
