// Differences of times that cannot overflow: source times come from outside and may lie anywhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "rltune/base/time.hpp"

namespace rltune::guard {

// How far apart two times are, at most the longest Duration.
inline Duration apart(TimePoint a, TimePoint b) noexcept {
  const std::int64_t early = std::min(a, b).time_since_epoch().count(),
                     late = std::max(a, b).time_since_epoch().count();
  const std::uint64_t difference = static_cast<std::uint64_t>(late) - static_cast<std::uint64_t>(early);
  return Duration(
      static_cast<std::int64_t>(std::min<std::uint64_t>(difference, std::numeric_limits<std::int64_t>::max())));
}

// From `earlier` to `later`; zero when time went back.
inline Duration elapsed(TimePoint earlier, TimePoint later) noexcept {
  return later <= earlier ? Duration::zero() : apart(earlier, later);
}

}  // namespace rltune::guard
