#include "rltune/env/weather.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numeric>

#include "rltune/base/file.hpp"
#include "rltune/env/plants.hpp"

namespace rltune::env {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::filesystem::path kData = RLTUNE_SOURCE_DIR "/src/env/testdata";
const std::string kHeader =
    "time,global_radiation_w_m2,air_temperature_degc,relative_humidity_pct,wind_speed_m_s,co2_ppm\n";

std::string rows(int from, int to) {
  std::string text;
  for (int k = from; k < to; ++k)
    text += std::format("2014-01-10T{:02}:{:02}:00,{},{},80,3,420\n", k / 12, k % 12 * 5, k, 0.5 * k);
  return text;
}

Result<Weather> csv(const std::string& text, const CsvOptions& options = {}) {
  return parse_weather_csv(text, "w.csv", options);
}

TEST(weather_csv, reads_columns_by_name_in_utc) {
  const auto weather = csv(kHeader + rows(0, 24));
  ASSERT_TRUE(weather.has_value()) << weather.error().message;
  EXPECT_EQ(weather->rows.size(), 24U);
  EXPECT_EQ(weather->row_period_s, 300.0);
  EXPECT_EQ(format_rfc3339(weather->start), "2014-01-10T00:00:00Z");
  EXPECT_EQ(weather->rows[7].radiation, 7.0);
  EXPECT_EQ(weather->rows[7].temperature, 3.5);
  EXPECT_EQ(weather->rows[7].wind, 3.0);
  EXPECT_EQ(weather->repaired_rows, 0U);
}

TEST(weather_csv, a_fixed_offset_moves_the_clock) {
  EXPECT_EQ(format_rfc3339(csv(kHeader + rows(0, 24), {.time_zone = "+01:00"})->start), "2014-01-09T23:00:00Z");
  const auto unknown = csv(kHeader + rows(0, 24), {.time_zone = "Europe/Bleiswijk"});
  EXPECT_EQ(unknown.error().code, Errc::not_found);
  EXPECT_THAT(unknown.error().message, HasSubstr("Europe/Bleiswijk"));
}

TEST(weather_csv, a_zone_with_summer_time_leaves_no_hole_in_spring) {
  for (const char* file : {"spring.csv", "spring.csv.gz", "spring_parts.csv.gz"}) {
    const auto weather = load_weather_csv(kData / file, {.time_zone = "Europe/Amsterdam"});
    ASSERT_TRUE(weather.has_value()) << weather.error().message;
    EXPECT_EQ(format_rfc3339(weather->start), "2023-03-25T21:00:00Z");
    EXPECT_EQ(weather->rows.size(), 28U);
    EXPECT_EQ(weather->repaired_rows, 0U);
  }
}

TEST(weather_csv, times_that_the_zone_leaves_out_are_named) {
  const auto weather =
      csv(kHeader +
              "2014-03-30T01:30:00,0,8,70,0,500\n2014-03-30T01:45:00,0,8,70,0,500\n2014-03-30T02:00:00,0,8,70,0,500\n"
              "2014-03-30T03:00:00,0,8,70,0,500\n",
          {.time_zone = "Europe/Amsterdam"});
  ASSERT_TRUE(weather.has_value()) << weather.error().message;
  EXPECT_EQ(weather->rows.size(), 3U);
  EXPECT_THAT(weather->notes.at(0), AllOf(HasSubstr("line 4"), HasSubstr("put forward")));
}

TEST(weather_csv, the_hour_that_autumn_has_twice_is_read_twice) {
  const auto weather =
      csv(kHeader +
              "2014-10-26T02:00:00,0,8,70,0,500\n2014-10-26T02:30:00,0,9,70,0,500\n2014-10-26T02:00:00,0,10,70,0,500\n"
              "2014-10-26T02:30:00,0,11,70,0,500\n2014-10-26T03:00:00,0,12,70,0,500\n",
          {.time_zone = "Europe/Amsterdam"});
  ASSERT_TRUE(weather.has_value()) << weather.error().message;
  EXPECT_EQ(weather->rows.size(), 5U);
  EXPECT_EQ(weather->rows[3].temperature, 11.0);
  EXPECT_EQ(weather->row_period_s, 1800.0);
}

TEST(weather_csv, interpolates_an_hour_and_counts_it) {
  const auto weather = csv(kHeader + rows(0, 10) + rows(22, 30));
  ASSERT_TRUE(weather.has_value()) << weather.error().message;
  EXPECT_EQ(weather->rows.size(), 30U);
  EXPECT_EQ(weather->repaired_rows, 12U);
  EXPECT_NEAR(weather->rows[15].radiation, 15.0, 1e-12);
  EXPECT_THAT(weather->notes.at(0), HasSubstr("lines 11 to 12: 12 rows interpolated"));
}

TEST(weather_csv, refuses_a_longer_hole_and_names_its_lines) {
  const auto weather = csv(kHeader + rows(0, 10) + rows(23, 30));
  ASSERT_FALSE(weather.has_value());
  EXPECT_EQ(weather.error().code, Errc::parse);
  EXPECT_THAT(weather.error().message, HasSubstr("w.csv: lines 11 to 12: no usable rows for 1.1 h"));
  EXPECT_TRUE(csv(kHeader + rows(0, 10) + rows(23, 30), {.gap_max_s = 7200.0}).has_value());
}

TEST(weather_csv, bad_rows_are_named_and_interpolated) {
  std::string text = kHeader + rows(0, 3);
  text +=
      "2014-01-10T00:15:00,x,1,80,3,420\n2014-01-10T00:20:00,1,1,80\n2014-01-10T00:25:00,1,99,80,3,420\nwhen,1,1,80,3,"
      "420\n";
  const auto weather = csv(text + rows(6, 9));
  ASSERT_TRUE(weather.has_value()) << weather.error().message;
  EXPECT_EQ(weather->repaired_rows, 3U);
  EXPECT_THAT(weather->notes.at(0), HasSubstr("line 5: global_radiation_w_m2 is 'x', not a number"));
  EXPECT_THAT(weather->notes.at(1), HasSubstr("line 6: 4 fields where the first line has 6"));
  EXPECT_THAT(weather->notes.at(2), HasSubstr("line 7: air temperature is 99, outside [-80, 60]"));
  EXPECT_THAT(weather->notes.at(3), HasSubstr("line 8: 'when' is not a time"));
}

TEST(weather_csv, a_long_hole_of_bad_rows_says_why_they_are_bad) {
  std::string text = kHeader + rows(0, 3);
  for (int k = 3; k < 30; ++k) text += std::format("2014-01-10T{:02}:{:02}:00,0,nan,80,3,420\n", k / 12, k % 12 * 5);
  const auto weather = csv(text + rows(30, 33));
  ASSERT_FALSE(weather.has_value());
  EXPECT_THAT(weather.error().message, HasSubstr("line 5: air_temperature_degc is 'nan'"));
}

TEST(weather_csv, sensor_offsets_are_moved_to_their_bound) {
  const auto weather = csv(kHeader + "2014-01-10T00:00:00,-2,8,101,0,500\n2014-01-10T00:05:00,0,8,70,0,500\n");
  EXPECT_EQ(weather->rows[0].radiation, 0.0);
  EXPECT_EQ(weather->rows[0].humidity, 100.0);
}

TEST(weather_csv, a_missing_column_or_file_is_named) {
  EXPECT_THAT(csv("time,air_temperature_degc\n").error().message, HasSubstr("no column 'global_radiation_w_m2'"));
  EXPECT_FALSE(csv(kHeader).has_value());
  EXPECT_EQ(load_weather_csv(kData / "none.csv").error().code, Errc::not_found);
}

TEST(weather_csv, a_year_that_no_clock_holds_is_a_bad_row) {
  const auto weather = csv(kHeader + rows(0, 24) + "5847-03-25T22:30:00,0,8,70,0,500\n");
  ASSERT_TRUE(weather.has_value()) << weather.error().message;
  EXPECT_EQ(weather->rows.size(), 24U);
  EXPECT_THAT(weather->notes.at(0), HasSubstr("5847-03-25T22:30:00"));
}

TEST(weather_csv, a_damaged_gzip_file_is_refused) {
  const auto bytes = read_file(kData / "spring.csv.gz");
  const auto path = std::filesystem::temp_directory_path() / std::format("rltune-weather-{}.csv.gz", ::getpid());
  ASSERT_TRUE(write_file(path, bytes->substr(0, bytes->size() / 2)).has_value());
  const auto weather = load_weather_csv(path);
  std::filesystem::remove(path);
  ASSERT_FALSE(weather.has_value());
  EXPECT_EQ(weather.error().code, Errc::corrupt);
}

TEST(weather_epw, reads_a_typical_year_across_a_change_of_year) {
  const auto weather = load_weather_epw(kData / "two_years.epw", 410.0);
  ASSERT_TRUE(weather.has_value()) << weather.error().message;
  EXPECT_EQ(weather->rows.size(), 72U);
  EXPECT_EQ(weather->time_zone, "+01:00");
  EXPECT_EQ(format_rfc3339(weather->start), "2009-02-26T23:30:00Z");
  EXPECT_EQ(weather->row_period_s, 3600.0);
  EXPECT_EQ(weather->rows[12].radiation, 400.0);  // hour 13
  EXPECT_EQ(weather->rows[12].co2, 410.0);
  EXPECT_EQ(weather->rows[2].wind, 0.0);  // marked as missing
  EXPECT_EQ(weather->repaired_rows, 1U);  // hour 5 of 28 February is marked as missing
  EXPECT_NEAR(weather->rows[28].temperature, (weather->rows[27].temperature + weather->rows[29].temperature) / 2,
              1e-12);
}

TEST(weather_epw, refuses_other_files_and_hours_out_of_order) {
  EXPECT_THAT(parse_weather_epw(kHeader + rows(0, 20), "w.epw").error().message,
              HasSubstr("w.epw: line 1: not an EPW file"));
  std::string text = *read_file(kData / "two_years.epw");
  const std::size_t hour = text.find("2009,2,27,7,");
  text.replace(hour, 12, "2009,2,27,9,");
  EXPECT_THAT(parse_weather_epw(text, "w.epw").error().message,
              HasSubstr("line 15: month 2, day 27, hour 9 does not follow"));
}

TEST(to_exogenous, counts_rows_where_they_divide_the_period_and_interpolates_elsewhere) {
  const auto plant = *make_plant("lettuce", 1);
  const auto fine = *to_exogenous(*csv(kHeader + rows(0, 24)), plant->spec());
  EXPECT_EQ(fine->stride, 6U);
  EXPECT_EQ(fine->row(6)[0], 6.0);
  const auto hourly = *to_exogenous(*load_weather_epw(kData / "two_years.epw"), plant->spec());
  EXPECT_EQ(hourly->stride, 1U);
  EXPECT_EQ(hourly->row_period_s, 1800.0);
  EXPECT_EQ(hourly->rows(), 143U);
  EXPECT_NEAR(hourly->row(25)[0], (hourly->row(24)[0] + hourly->row(26)[0]) / 2, 1e-12);
  EXPECT_EQ(to_exogenous(*csv(kHeader + rows(0, 24)), (*make_plant("cstr", 1))->spec()).error().code, Errc::mismatch);
}

TEST(parse_local_time, takes_dates_and_times_of_the_zone) {
  EXPECT_EQ(format_rfc3339(*parse_local_time("2014-02-09", "+01:00")), "2014-02-08T23:00:00Z");
  EXPECT_EQ(format_rfc3339(*parse_local_time("2014-07-09T06:00", "Europe/Amsterdam")), "2014-07-09T04:00:00Z");
  EXPECT_EQ(format_rfc3339(*parse_local_time("2014-07-09T06:00:00Z", "Europe/Amsterdam")), "2014-07-09T06:00:00Z");
  EXPECT_FALSE(parse_local_time("2014-03-30T02:30", "Europe/Amsterdam").has_value());
  EXPECT_FALSE(parse_local_time("2014-02-30", "UTC").has_value());
  EXPECT_FALSE(parse_local_time("soon", "UTC").has_value());
}

TEST(synthetic_weather, same_seed_same_year) {
  const Weather first = synthesize_weather({.seed = 4});
  const Weather again = synthesize_weather({.seed = 4});
  const Weather other = synthesize_weather({.seed = 5});
  ASSERT_EQ(first.rows.size(), 17520U);
  EXPECT_EQ(first.rows[9999].temperature, again.rows[9999].temperature);
  EXPECT_NE(first.rows[9999].temperature, other.rows[9999].temperature);
}

// What handbooks give for the Dutch coast (De Bilt and Rotterdam normals 1991-2020, KNMI): annual temperature 10.2 to
// 11, January near 3.5, July near 18.2, radiation sum 3.6 to 3.9 GJ/m2 a year, humidity near 80 %.
TEST(synthetic_weather, has_the_climate_it_is_asked_for) {
  constexpr int kYears = 20;
  double temperature = 0.0, january = 0.0, july = 0.0, radiation = 0.0, humidity = 0.0;
  for (int year = 0; year < kYears; ++year) {
    const Weather weather = synthesize_weather({.seed = static_cast<std::uint64_t>(100 + year)});
    const auto mean = [&](std::size_t from, std::size_t to, double WeatherRow::* member) {
      double sum = 0.0;
      for (std::size_t k = from; k < to; ++k) sum += weather.rows[k].*member;
      return sum / static_cast<double>(to - from) / kYears;
    };
    temperature += mean(0, 17520, &WeatherRow::temperature);
    january += mean(0, 31 * 48, &WeatherRow::temperature);
    july += mean(181 * 48, 212 * 48, &WeatherRow::temperature);
    radiation += mean(0, 17520, &WeatherRow::radiation);
    humidity += mean(0, 17520, &WeatherRow::humidity);
  }
  EXPECT_NEAR(temperature, 10.6, 0.8);
  EXPECT_NEAR(january, 3.5, 1.5);
  EXPECT_NEAR(july, 18.2, 1.5);
  EXPECT_NEAR(radiation * 31.536e6 / 1e9, 3.75, 0.3);
  EXPECT_NEAR(humidity, 80.0, 4.0);
}

TEST(synthetic_weather, follows_the_sun_of_its_latitude) {
  const auto day_length = [](double latitude, std::size_t day) {
    const Weather weather = synthesize_weather({.latitude_deg = latitude});
    return std::count_if(weather.rows.begin() + static_cast<std::ptrdiff_t>(day * 48),
                         weather.rows.begin() + static_cast<std::ptrdiff_t>(day * 48 + 48),
                         [](const WeatherRow& row) { return row.radiation > 0.0; }) /
           2.0;
  };
  EXPECT_NEAR(day_length(52.0, 171), 16.5, 1.0);
  EXPECT_NEAR(day_length(52.0, 354), 7.7, 1.0);
  EXPECT_NEAR(day_length(0.0, 171), 12.0, 1.0);
}

TEST(open_weather, opens_by_name) {
  EXPECT_EQ(open_weather({.years = 3})->size(), 3U);
  EXPECT_EQ(open_weather({.from = (kData / "two_years.epw").string()})->at(0).rows.size(), 72U);
  EXPECT_EQ(open_weather({.from = "/no/such.csv"}).error().code, Errc::not_found);
}

}  // namespace
}  // namespace rltune::env
