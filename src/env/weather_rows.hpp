// Rows from a file on their way to a Weather: placed on a regular grid, holes filled or refused. Internal to env.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rltune/env/weather.hpp"

namespace rltune::env {

struct TimedRow {
  TimePoint time;
  std::size_t line = 0;
  WeatherRow row;
};

inline constexpr std::size_t kNotesMax = 20;

void note(Weather& weather, std::string text);

// What a sensor can report; the message names the value. Small negative radiation and humidity just above 100 % are
// sensor offsets and are moved to their bound.
std::optional<std::string> repair_or_refuse(WeatherRow& row);

// Fills `weather.rows` from rows in ascending time. Errors: parse, naming lines.
Result<> place_rows(const std::vector<TimedRow>& rows, double gap_max_s, Weather& weather);

}  // namespace rltune::env
