// How long a disk lasts at today's rate, with retention at work. Arithmetic alone.
#pragma once

#include <span>

#include "raw_segment.hpp"
#include "rltune/historian/historian.hpp"

namespace rltune::historian {

struct StorageFigures {
  double raw_bytes = 0.0, rollup_bytes = 0.0;  // on disk now
  double raw_bytes_per_day = 0.0;
  double tags = 0.0;  // that get samples
};

// Raw bytes a day over the last day on our own clock, from how many samples each file took and when.
double raw_bytes_per_day(std::span<const SegmentInfo> segments, double bytes_per_sample);

double bytes_per_day(const StorageFigures& figures);
// What stands on disk after so many days.
double bytes_after(double days, const StorageFigures& figures, const Retention& retention);
// Infinite where it never comes to that (within a century).
double days_until_full(const StorageFigures& figures, const Retention& retention, double bytes_free);

}  // namespace rltune::historian
