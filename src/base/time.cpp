#include "rltune/base/time.hpp"

#include <charconv>
#include <format>

namespace rltune {
namespace {

// Reads exactly `digits` decimal digits from the front of `text`.
bool take_number(std::string_view& text, std::size_t digits, int& value) {
  if (text.size() < digits) return false;
  const auto [end, code] = std::from_chars(text.data(), text.data() + digits, value);
  if (code != std::errc{} || end != text.data() + digits || text.front() == '-') return false;
  text.remove_prefix(digits);
  return true;
}

bool take_char(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

bool take_date(std::string_view& text, TimePoint& time) {
  int year = 0, month = 0, day = 0;
  if (!take_number(text, 4, year) || !take_char(text, '-') || !take_number(text, 2, month) || !take_char(text, '-') ||
      !take_number(text, 2, day))
    return false;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || year < 1678 || year > 2261) return false;  // what nanoseconds in 64 bits can hold
  time = std::chrono::sys_days(date);
  return true;
}

bool take_fraction(std::string_view& text, TimePoint& time) {
  if (!take_char(text, '.')) return true;
  std::int64_t scale = 100'000'000, nanoseconds = 0;
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    nanoseconds += (text[digits] - '0') * scale;
    scale /= 10;
    ++digits;
  }
  text.remove_prefix(digits);
  time += std::chrono::nanoseconds(nanoseconds);
  return digits > 0;
}

bool take_clock(std::string_view& text, TimePoint& time) {
  int hour = 0, minute = 0, second = 0;
  if (!take_number(text, 2, hour) || !take_char(text, ':') || !take_number(text, 2, minute)) return false;
  if (take_char(text, ':') && !take_number(text, 2, second)) return false;
  if (hour > 23 || minute > 59 || second > 60) return false;
  time += std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
  return take_fraction(text, time);
}

bool take_offset(std::string_view& text, TimePoint& time) {
  if (take_char(text, 'Z') || take_char(text, 'z')) return true;
  const bool east = take_char(text, '+');
  if (!east && !take_char(text, '-')) return false;
  int hour = 0, minute = 0;
  if (!take_number(text, 2, hour) || !take_char(text, ':') || !take_number(text, 2, minute)) return false;
  const auto offset = std::chrono::hours(hour) + std::chrono::minutes(minute);
  time += east ? -Duration(offset) : Duration(offset);
  return true;
}

}  // namespace

std::string format_rfc3339(TimePoint time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto fraction = (time - seconds).count();
  std::string text = std::format("{:%FT%T}", seconds);
  if (fraction != 0) {
    if (fraction % 1'000'000 == 0)
      text += std::format(".{:03}", fraction / 1'000'000);
    else if (fraction % 1'000 == 0)
      text += std::format(".{:06}", fraction / 1'000);
    else
      text += std::format(".{:09}", fraction);
  }
  return text + "Z";
}

Result<TimePoint> parse_rfc3339(std::string_view text) {
  std::string_view rest = text;
  TimePoint time{};
  bool good = take_date(rest, time);
  if (good && !rest.empty())
    good = (take_char(rest, 'T') || take_char(rest, 't') || take_char(rest, ' ')) && take_clock(rest, time) &&
           take_offset(rest, time) && rest.empty();
  if (!good)
    return fail(Errc::parse, std::format("'{}' is not a time; write it as 2014-02-09T00:00:00Z or 2014-02-09", text));
  return time;
}

}  // namespace rltune
