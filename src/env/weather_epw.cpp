#include <array>
#include <charconv>
#include <cmath>
#include <format>

#include "rltune/base/file.hpp"
#include "rltune/env/weather.hpp"
#include "weather_rows.hpp"

namespace rltune::env {
namespace {

using std::chrono::days;
using std::chrono::hours;

// EnergyPlus Auxiliary Programs, "EnergyPlus Weather File (EPW) Data Dictionary": eight header lines, then hours.
constexpr std::size_t kHeaderLines = 8;
constexpr std::size_t kFields = 35;
constexpr std::size_t kFieldsMin = 22;  // up to wind speed
constexpr std::size_t kYear = 0, kMonth = 1, kDay = 2, kHour = 3, kDryBulb = 6, kHumidity = 8, kRadiation = 13,
                      kWind = 21;
constexpr double kGapMaxSeconds = 3600.0;

struct Fields {
  std::array<std::string_view, kFields> text;
  std::size_t count = 0;

  explicit Fields(std::string_view line) {
    while (count < kFields) {
      const std::size_t comma = line.find(',');
      text[count++] = line.substr(0, comma);
      if (comma == std::string_view::npos) return;
      line.remove_prefix(comma + 1);
    }
  }
  std::optional<double> number(std::size_t index) const {
    if (index >= count) return std::nullopt;
    std::string_view field = text[index];
    while (field.starts_with(' ')) field.remove_prefix(1);
    while (field.ends_with(' ')) field.remove_suffix(1);
    double value = 0.0;
    const auto [end, code] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (code != std::errc{} || end != field.data() + field.size() || !std::isfinite(value)) return std::nullopt;
    return value;
  }
};

class EpwReader {
 public:
  EpwReader(std::string_view text, const std::string& name, double co2_ppm) : rest_(text), co2_ppm_(co2_ppm) {
    weather_.name = name;
  }

  Result<Weather> read() {
    for (std::size_t i = 0; i < kHeaderLines; ++i)
      if (auto done = read_header_line(next_line(), i); !done) return std::unexpected(done.error());
    while (!rest_.empty())
      if (auto done = read_row(next_line()); !done) return std::unexpected(done.error());
    if (auto done = place_rows(rows_, kGapMaxSeconds, weather_); !done) return std::unexpected(done.error());
    return std::move(weather_);
  }

 private:
  std::string_view next_line() {
    ++line_;
    const std::size_t end = rest_.find('\n');
    std::string_view line = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view{} : rest_.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

  std::unexpected<Error> refuse(std::string_view why) const {
    return fail(Errc::parse, std::format("{}: line {}: {}", weather_.name, line_, why));
  }

  Result<> read_header_line(std::string_view line, std::size_t index) {
    if (index > 0) return {};
    const Fields fields(line);
    const auto zone = fields.number(8);
    if (fields.text[0] != "LOCATION" || !zone || std::fabs(*zone) > 14.0)
      return refuse(
          "not an EPW file: it starts with LOCATION, city, ..., and the ninth field is the time zone in hours");
    const int minutes = static_cast<int>(std::lround(*zone * 60.0));
    offset_ = std::chrono::minutes{minutes};
    weather_.time_zone =
        std::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', std::abs(minutes) / 60, std::abs(minutes) % 60);
    return {};
  }

  // Month, day and hour have to follow each other; the year is the first row's, and 29 February may be there or not.
  Result<> read_row(std::string_view line) {
    if (line.empty()) return {};
    const Fields fields(line);
    const auto year = fields.number(kYear), month = fields.number(kMonth), day = fields.number(kDay),
               hour = fields.number(kHour);
    if (fields.count < kFieldsMin || !year || !month || !day || !hour)
      return refuse("year, month, day, hour and 18 more fields are wanted");
    if (!(*year >= 1800 && *year <= 2200 && *month >= 1 && *month <= 12 && *day >= 1 && *day <= 31 && *hour >= 1 &&
          *hour <= 24))
      return refuse("no such date or hour (hours are 1 to 24)");
    const Stamp stamp{static_cast<unsigned>(*month), static_cast<unsigned>(*day), static_cast<unsigned>(*hour)};
    if (count_ == 0)
      weather_.start = first_time(static_cast<int>(*year), stamp);
    else if (!follows(stamp))
      return refuse(
          std::format("month {}, day {}, hour {} does not follow the row before", stamp.month, stamp.day, stamp.hour));
    previous_ = stamp;
    take(fields);
    return {};
  }

  struct Stamp {
    unsigned month, day, hour;
  };

  // EPW's hour h is the hour that ends at h; its values are put in its middle.
  TimePoint first_time(int year, const Stamp& stamp) const {
    const std::chrono::sys_days date{std::chrono::year{year} / static_cast<int>(stamp.month) /
                                     static_cast<int>(stamp.day)};
    return TimePoint{date} + hours{stamp.hour} - std::chrono::minutes{30} - offset_;
  }

  bool follows(const Stamp& stamp) const {
    if (previous_.hour < 24)
      return stamp.month == previous_.month && stamp.day == previous_.day && stamp.hour == previous_.hour + 1;
    if (stamp.hour != 1) return false;
    const auto next_of = [this](int year) {
      const std::chrono::sys_days date{std::chrono::year{year} / static_cast<int>(previous_.month) /
                                       static_cast<int>(previous_.day)};
      return std::chrono::year_month_day{date + days{1}};
    };
    const auto is = [&](const std::chrono::year_month_day& date) {
      return static_cast<unsigned>(date.month()) == stamp.month && static_cast<unsigned>(date.day()) == stamp.day;
    };
    return is(next_of(2001)) || is(next_of(2004));  // an ordinary and a leap year
  }

  // Missing values have sentinels: 99.9, 999, 9999.
  void take(const Fields& fields) {
    const auto temperature = fields.number(kDryBulb), humidity = fields.number(kHumidity),
               radiation = fields.number(kRadiation), wind = fields.number(kWind);
    TimedRow row{.time = weather_.start + hours{count_++}, .line = line_};
    std::optional<std::string> trouble;
    if (!temperature || !humidity || !radiation)
      trouble = "temperature, humidity or radiation is not a number";
    else if (*temperature >= 99.9 || *humidity >= 999.0 || *radiation >= 9999.0)
      trouble = "temperature, humidity or radiation is marked as missing";
    else
      row.row = {*radiation, *temperature, *humidity, wind && *wind < 999.0 ? *wind : 0.0, co2_ppm_};
    if (!trouble) trouble = repair_or_refuse(row.row);
    if (trouble)
      note(weather_, std::format("line {}: {}", line_, *trouble));
    else
      rows_.push_back(row);
  }

  std::string_view rest_;
  double co2_ppm_;
  std::chrono::minutes offset_{};
  Weather weather_;
  std::vector<TimedRow> rows_;
  Stamp previous_{};
  std::size_t count_ = 0;
  std::size_t line_ = 0;
};

}  // namespace

Result<Weather> parse_weather_epw(std::string_view text, const std::string& name, double co2_ppm) {
  return EpwReader(text, name, co2_ppm).read();
}

Result<Weather> load_weather_epw(const std::filesystem::path& path, double co2_ppm) {
  const auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  return parse_weather_epw(*text, path.filename().string(), co2_ppm);
}

}  // namespace rltune::env
