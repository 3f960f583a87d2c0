#include "weather_rows.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <format>
#include <map>

namespace rltune::env {
namespace {

// The most frequent distance of two rows.
Result<Duration> period_of(const std::vector<TimedRow>& rows, const std::string& name) {
  std::map<Duration, std::size_t> counts;
  for (std::size_t i = 1; i < rows.size(); ++i) ++counts[rows[i].time - rows[i - 1].time];
  if (counts.empty()) return fail(Errc::parse, std::format("{}: fewer than two usable rows", name));
  return std::ranges::max_element(counts, {}, [](const auto& entry) { return entry.second; })->first;
}

WeatherRow between(const WeatherRow& a, const WeatherRow& b, double share) {
  const auto mix = [share](double from, double to) { return from + share * (to - from); };
  return {mix(a.radiation, b.radiation), mix(a.temperature, b.temperature), mix(a.humidity, b.humidity),
          mix(a.wind, b.wind), mix(a.co2, b.co2)};
}

}  // namespace

void note(Weather& weather, std::string text) {
  if (weather.notes.size() < kNotesMax) weather.notes.push_back(std::move(text));
}

std::optional<std::string> repair_or_refuse(WeatherRow& row) {
  struct Check {
    const char* name;
    double* value;
    double least, low, high, most;  // refused outside [least, most], moved into [low, high]
  };
  const std::array<Check, 5> checks{{{"global radiation", &row.radiation, -20.0, 0.0, 1600.0, 1600.0},
                                     {"air temperature", &row.temperature, -80.0, -80.0, 60.0, 60.0},
                                     {"relative humidity", &row.humidity, 0.0, 0.0, 100.0, 105.0},
                                     {"wind speed", &row.wind, 0.0, 0.0, 120.0, 120.0},
                                     {"CO2", &row.co2, 100.0, 100.0, 5000.0, 5000.0}}};
  for (const Check& check : checks) {
    if (!(*check.value >= check.least && *check.value <= check.most))
      return std::format("{} is {}, outside [{}, {}]", check.name, *check.value, check.least, check.most);
    *check.value = std::clamp(*check.value, check.low, check.high);
  }
  return std::nullopt;
}

Result<> place_rows(const std::vector<TimedRow>& rows, double gap_max_s, Weather& weather) {
  const auto period = period_of(rows, weather.name);
  if (!period) return std::unexpected(period.error());
  weather.start = rows.front().time;
  weather.row_period_s = to_seconds(*period);
  weather.rows = {rows.front().row};
  for (std::size_t i = 1, before = 0; i < rows.size(); ++i) {
    const Duration since = rows[i].time - weather.start;
    if (since % *period != Duration::zero()) {
      note(weather, std::format("line {}: {} is not on the grid of {} s rows; left out", rows[i].line,
                                format_rfc3339(rows[i].time), weather.row_period_s));
      continue;
    }
    const auto index = static_cast<std::size_t>(since / *period);
    const std::size_t missing = index - weather.rows.size();
    if (static_cast<double>(missing) * weather.row_period_s > gap_max_s)
      return fail(
          Errc::parse,
          std::format(
              "{}: lines {} to {}: no usable rows for {:.1f} h, from {} to {}; at most {:.1f} h are interpolated",
              weather.name, rows[before].line, rows[i].line,
              static_cast<double>(missing) * weather.row_period_s / 3600.0, format_rfc3339(rows[before].time),
              format_rfc3339(rows[i].time), gap_max_s / 3600.0));
    if (missing > 0)
      note(weather, std::format("lines {} to {}: {} rows interpolated", rows[before].line, rows[i].line, missing));
    for (std::size_t hole = 1; hole <= missing; ++hole)
      weather.rows.push_back(
          between(rows[before].row, rows[i].row, static_cast<double>(hole) / static_cast<double>(missing + 1)));
    weather.repaired_rows += missing;
    weather.rows.push_back(rows[i].row);
    before = i;
  }
  return {};
}

}  // namespace rltune::env
