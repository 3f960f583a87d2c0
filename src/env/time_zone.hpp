// Civil times of a zone, for readers of weather files. Internal to env.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::env {

class TimeZone {
 public:
  // "UTC", an IANA name or "+hh:mm". Errors: not_found.
  static Result<TimeZone> find(std::string_view name);

  // Nothing where the zone leaves the time out. Where it has the time twice: the first one that is later than `after`.
  std::optional<TimePoint> to_utc(std::chrono::local_seconds local, TimePoint after = TimePoint::min()) const;

 private:
  const std::chrono::time_zone* zone_ = nullptr;
  std::chrono::seconds offset_{};
};

// "2014-02-09", "2014-02-09T06:00[:00]", the T also a space; anything else: parse.
Result<std::chrono::local_seconds> parse_civil_time(std::string_view text);

}  // namespace rltune::env
