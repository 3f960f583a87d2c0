#include "time_zone.hpp"

#include <array>
#include <charconv>
#include <exception>
#include <format>

#include "rltune/env/weather.hpp"

namespace rltune::env {
namespace {

using std::chrono::local_seconds;

// `count` digits at `at`, or nothing.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<std::chrono::seconds> fixed_offset(std::string_view name) {
  if (name.size() != 6 || (name[0] != '+' && name[0] != '-') || name[3] != ':') return std::nullopt;
  const auto hours = digits(name, 1, 2);
  const auto minutes = digits(name, 4, 2);
  if (!hours || !minutes || *hours > 14 || *minutes > 59) return std::nullopt;
  const std::chrono::minutes offset{*hours * 60 + *minutes};
  return name[0] == '-' ? -offset : offset;
}

std::optional<std::chrono::seconds> time_of_day(std::string_view text) {
  if (text.empty()) return std::chrono::seconds{0};
  if ((text[0] != 'T' && text[0] != ' ') || (text.size() != 6 && text.size() != 9) || text[3] != ':')
    return std::nullopt;
  if (text.size() == 9 && text[6] != ':') return std::nullopt;
  const auto hour = digits(text, 1, 2);
  const auto minute = digits(text, 4, 2);
  const auto second = text.size() == 9 ? digits(text, 7, 2) : std::optional{0};
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  return std::chrono::seconds{*hour * 3600 + *minute * 60 + *second};
}

}  // namespace

Result<TimeZone> TimeZone::find(std::string_view name) {
  TimeZone made;
  if (name == "UTC" || name == "Z") return made;
  if (const auto offset = fixed_offset(name)) {
    made.offset_ = *offset;
    return made;
  }
  try {
    made.zone_ = std::chrono::locate_zone(name);
  } catch (const std::exception&) {
    return fail(
        Errc::not_found,
        std::format("unknown time zone '{}'; give an IANA name (Europe/Amsterdam) or an offset (+01:00)", name));
  }
  return made;
}

std::optional<TimePoint> TimeZone::to_utc(local_seconds local, TimePoint after) const {
  if (zone_ == nullptr) return TimePoint{local.time_since_epoch() - offset_};
  const std::chrono::local_info info = zone_->get_info(local);
  if (info.result == std::chrono::local_info::nonexistent) return std::nullopt;
  const TimePoint first{local.time_since_epoch() - info.first.offset};
  if (info.result == std::chrono::local_info::unique || first > after) return first;
  return TimePoint{local.time_since_epoch() - info.second.offset};
}

Result<local_seconds> parse_civil_time(std::string_view text) {
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  const auto clock = text.size() >= 10 ? time_of_day(text.substr(10)) : std::nullopt;
  const bool representable = year && *year >= 1678 && *year <= 2261;  // what nanoseconds in 64 bits can hold
  if (representable && month && day && clock && text[4] == '-' && text[7] == '-') {
    const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (date.ok()) return local_seconds{std::chrono::local_days{date}} + *clock;
  }
  return fail(Errc::parse, std::format("'{}' is not a time like 2014-02-09 or 2014-02-09T06:00:00", text));
}

Result<TimePoint> parse_local_time(std::string_view text, std::string_view time_zone) {
  if (text.size() > 19 || text.ends_with('Z')) return parse_rfc3339(text);
  const auto zone = TimeZone::find(time_zone);
  if (!zone) return std::unexpected(zone.error());
  const auto local = parse_civil_time(text);
  if (!local) return std::unexpected(local.error());
  if (const auto utc = zone->to_utc(*local)) return *utc;
  return fail(Errc::invalid_argument, std::format("there was no {} in {}: the clock was put forward", text, time_zone));
}

}  // namespace rltune::env
