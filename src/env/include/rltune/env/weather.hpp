// Weather as rows at a fixed period: read from CSV or EPW, or made up by a generator, and turned into what a
// plant takes. Formats: docs/plants.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"
#include "rltune/env/exogenous.hpp"
#include "rltune/env/plant_model.hpp"

namespace rltune::env {

struct WeatherRow {
  double radiation = 0.0;    // global, horizontal, W/m2
  double temperature = 0.0;  // degC
  double humidity = 0.0;     // relative, %
  double wind = 0.0;         // m/s
  double co2 = 0.0;          // ppm
};

struct Weather {
  std::string name;       // file name, or what the generator was asked for
  TimePoint start;        // UTC of row 0
  std::string time_zone;  // in which its dates are meant
  double row_period_s = 0.0;
  std::vector<WeatherRow> rows;
  std::size_t repaired_rows = 0;   // bad or missing, interpolated from their neighbours
  std::vector<std::string> notes;  // what was repaired or left out, the first few with line numbers
};

struct CsvOptions {
  // IANA name ("Europe/Amsterdam") or fixed offset ("+01:00"): what a time without an offset means.
  std::string time_zone = "UTC";
  double gap_max_s = 3600.0;  // longest run of bad or missing rows that is interpolated; longer ones are an error
};

// Columns by name, in any order: time, global_radiation_w_m2, air_temperature_degc, relative_humidity_pct, co2_ppm,
// and wind_speed_m_s where there is one. Gzip is recognised by its first bytes. Errors name file and lines.
Result<Weather> load_weather_csv(const std::filesystem::path& path, const CsvOptions& options = {});
Result<Weather> parse_weather_csv(std::string_view text, const std::string& name, const CsvOptions& options = {});

// EnergyPlus weather (EPW): hourly; the row of hour h stands at h - 30 min, local standard time of its header. Years of
// different months differ in a typical year: rows are taken as they follow each other, from the first one's year.
Result<Weather> load_weather_epw(const std::filesystem::path& path, double co2_ppm = 420.0);
Result<Weather> parse_weather_epw(std::string_view text, const std::string& name, double co2_ppm = 420.0);

// A year that has not been: maritime western Europe by default. Same options, same weather, everywhere.
struct SyntheticOptions {
  std::uint64_t seed = 1;
  int year = 2001;  // of row 0, 1 January 00:00 UTC
  int days = 365;
  double row_period_s = 1800.0;
  double latitude_deg = 52.0;
  double longitude_deg = 4.5;
  double temperature_mean_degc = 10.6;     // of the climate, over the year
  double temperature_seasonal_degc = 7.3;  // half the range between July and January
  double cloudiness = 0.69;                // mean cover, 0 to 1
};
Weather synthesize_weather(const SyntheticOptions& options = {});

// "synthetic", or a file: *.epw, otherwise CSV. Synthetic weather comes as `years` years of different seeds.
struct WeatherSource {
  std::string from = "synthetic";
  std::string time_zone = "UTC";  // of a CSV file
  SyntheticOptions synthetic;
  int years = 24;
};
Result<std::vector<Weather>> open_weather(const WeatherSource& source);

// Rows of the plant's exogenous variables, which must be global_radiation, outdoor_co2, outdoor_temperature and
// outdoor_humidity (otherwise: mismatch). Where the plant's period is a multiple of the rows', rows are taken
// as they are and `stride` counts them; otherwise they are interpolated linearly at the plant's period.
Result<std::shared_ptr<const ExogenousSeries>> to_exogenous(const Weather& weather, const PlantSpec& plant);

// "2014-02-09", "2014-02-09T06:00", "2014-02-09T06:00:00" in the zone; an RFC 3339 time with offset means itself.
// A time that the zone leaves out (spring) is an error; one that it has twice (autumn) is the first.
Result<TimePoint> parse_local_time(std::string_view text, std::string_view time_zone);

}  // namespace rltune::env
