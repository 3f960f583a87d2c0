#include <algorithm>
#include <chrono>
#include <set>

#include "names.hpp"
#include "rltune/backup/backup.hpp"

namespace rltune::backup {
namespace {

using Period = std::chrono::sys_days (*)(std::chrono::sys_days day);

std::chrono::sys_days day_of(std::chrono::sys_days day) { return day; }
std::chrono::sys_days week_of(std::chrono::sys_days day) {
  return day - (std::chrono::weekday(day) - std::chrono::Monday);
}
std::chrono::sys_days month_of(std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  return date.year() / date.month() / 1;
}

// "20260102T030405Z"
std::chrono::sys_days date_of(const std::string& name) {
  const std::string_view stamp = stamp_of(name);
  const auto number = [&](std::size_t from, std::size_t count) {
    int value = 0;
    for (const char digit : stamp.substr(from, count)) value = 10 * value + (digit - '0');
    return value;
  };
  return std::chrono::year(number(0, 4)) / number(4, 2) / number(6, 2);
}

}  // namespace

std::set<std::string> superfluous(const std::set<std::string>& names, const config::BackupRetention& rule) {
  std::set<std::string> gone = names;
  std::size_t newest = std::max<std::size_t>(rule.newest, 1);
  // Of one site, names are in the order of time.
  for (auto name = names.rbegin(); name != names.rend() && newest > 0; ++name, --newest) gone.erase(*name);
  for (const auto& [period, count] :
       {std::pair<Period, std::size_t>{day_of, rule.daily}, std::pair<Period, std::size_t>{week_of, rule.weekly},
        std::pair<Period, std::size_t>{month_of, rule.monthly}}) {
    std::set<std::chrono::sys_days> seen;
    for (auto name = names.rbegin(); name != names.rend() && seen.size() < count; ++name)
      if (seen.insert(period(date_of(*name))).second) gone.erase(*name);
  }
  return gone;
}

}  // namespace rltune::backup
