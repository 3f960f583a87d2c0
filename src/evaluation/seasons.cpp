#include "rltune/evaluation/seasons.hpp"

#include <cmath>
#include <format>

#include "rltune/base/check.hpp"

namespace rltune::evaluation {
namespace {

std::string first_day(const env::Start& start) {
  const env::ExogenousSeries& series = *start.series;
  if (!series.start) return series.name;
  const TimePoint time = *series.start + from_seconds(static_cast<double>(start.row) * series.row_period_s);
  return format_rfc3339(time);
}

// Sample periods in a day: seasons begin at the time of day at which the series does.
std::size_t day_steps(const env::ExogenousSeries& series) {
  const double period_s = series.row_period_s * static_cast<double>(series.stride);
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(86400.0 / period_s)));
}

std::vector<Season> repeated(const env::Start& start, std::size_t count, std::uint64_t seed) {
  std::vector<Season> seasons;
  for (std::size_t i = 0; i < count; ++i) seasons.push_back({start, seed + i, first_day(start)});
  return seasons;
}

}  // namespace

Result<std::vector<Season>> spread_seasons(const SeriesList& series, const env::Task& task, std::size_t count,
                                           std::uint64_t seed) {
  RLTUNE_CHECK(count > 0);
  if (task.schedule) return repeated({task.schedule, 0}, count, seed);
  std::vector<env::Start> starts;
  for (const auto& one : series) {
    const std::vector<env::Start> fitting = env::starts_within(one, task, day_steps(*one));
    starts.insert(starts.end(), fitting.begin(), fitting.end());
  }
  if (starts.empty())
    return fail(Errc::invalid_argument, std::format("no whole season of {} steps fits into the weather", task.steps));
  std::vector<Season> seasons;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t place = count == 1 ? 0 : i * (starts.size() - 1) / (count - 1);
    seasons.push_back({starts[place], seed + i, first_day(starts[place])});
  }
  return seasons;
}

Result<std::vector<Season>> seasons_at(const SeriesList& series, const env::Task& task, TimePoint start,
                                       std::size_t count, std::uint64_t seed) {
  Error error{Errc::invalid_argument, "there is no weather to start in"};
  for (const auto& one : series) {
    const auto found = env::start_at(one, task, start);
    if (found) return repeated(*found, count, seed);
    error = found.error();
  }
  return std::unexpected(error);
}

}  // namespace rltune::evaluation
