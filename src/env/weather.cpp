#include "rltune/env/weather.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <format>

namespace rltune::env {
namespace {

struct Binding {
  std::string_view name;
  double WeatherRow::* member;
};

constexpr std::array kBindings{
    Binding{"global_radiation", &WeatherRow::radiation}, Binding{"outdoor_co2", &WeatherRow::co2},
    Binding{"outdoor_temperature", &WeatherRow::temperature}, Binding{"outdoor_humidity", &WeatherRow::humidity},
    Binding{"outdoor_wind", &WeatherRow::wind}};

Result<std::vector<double WeatherRow::*>> columns_of(const PlantSpec& plant) {
  std::vector<double WeatherRow::*> columns;
  for (const Variable& variable : plant.exogenous) {
    const auto found = std::ranges::find(kBindings, variable.name, &Binding::name);
    if (found == kBindings.end())
      return fail(Errc::mismatch,
                  std::format("the plant '{}' takes '{}', which is not weather", plant.name, variable.name));
    columns.push_back(found->member);
  }
  return columns;
}

// Rows between two plant periods where that is a whole number, or 0.
std::size_t whole_stride(double plant_period_s, double row_period_s) {
  const double ratio = plant_period_s / row_period_s;
  return ratio > 0.5 && std::fabs(ratio - std::round(ratio)) < 1e-9 ? static_cast<std::size_t>(std::lround(ratio)) : 0;
}

}  // namespace

Result<std::shared_ptr<const ExogenousSeries>> to_exogenous(const Weather& weather, const PlantSpec& plant) {
  const auto columns = columns_of(plant);
  if (!columns) return std::unexpected(columns.error());
  auto series = std::make_shared<ExogenousSeries>();
  series->name = weather.name;
  series->start = weather.start;
  series->variables = columns->size();
  const std::size_t stride = whole_stride(plant.sample_period_s, weather.row_period_s);
  if (stride > 0) {
    series->stride = stride;
    series->row_period_s = weather.row_period_s;
    for (const WeatherRow& row : weather.rows)
      for (const auto column : *columns) series->values.push_back(row.*column);
    return series;
  }
  series->row_period_s = plant.sample_period_s;
  const double ratio = plant.sample_period_s / weather.row_period_s;
  const auto rows = static_cast<std::size_t>(static_cast<double>(weather.rows.size() - 1) / ratio + 1e-9) + 1;
  for (std::size_t k = 0; k < rows; ++k) {
    const double at = static_cast<double>(k) * ratio;
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, weather.rows.size() - 1);
    const double share = at - static_cast<double>(below);
    for (const auto column : *columns)
      series->values.push_back(weather.rows[below].*column +
                               share * (weather.rows[above].*column - weather.rows[below].*column));
  }
  return series;
}

Result<std::vector<Weather>> open_weather(const WeatherSource& source) {
  std::vector<Weather> opened;
  if (source.from == "synthetic") {
    for (int year = 0; year < source.years; ++year) {
      SyntheticOptions options = source.synthetic;
      options.seed = source.synthetic.seed * 1000003 + static_cast<std::uint64_t>(year);
      opened.push_back(synthesize_weather(options));
    }
    return opened;
  }
  auto loaded = source.from.ends_with(".epw") ? load_weather_epw(source.from)
                                              : load_weather_csv(source.from, {.time_zone = source.time_zone});
  if (!loaded) return std::unexpected(loaded.error());
  opened.push_back(std::move(*loaded));
  return opened;
}

}  // namespace rltune::env
