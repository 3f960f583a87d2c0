// Time: UTC with nanoseconds inside, RFC 3339 on the wire.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"

namespace rltune {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::sys_time<Duration>;

// "2014-02-09T00:00:00Z", with as many fractional digits (0, 3, 6 or 9) as the value needs.
std::string format_rfc3339(TimePoint time);

// Accepts "2014-02-09T00:00:00Z", fractions, offsets "+01:00", and a plain date (midnight UTC).
Result<TimePoint> parse_rfc3339(std::string_view text);

// Seconds as a real number; for durations that people write ("0.5").
inline double to_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }
inline Duration from_seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace rltune
