#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <format>

#include "rltune/base/file.hpp"
#include "rltune/env/weather.hpp"
#include "time_zone.hpp"
#include "weather_rows.hpp"

namespace rltune::env {
namespace {

constexpr std::size_t kUnpackedMax = std::size_t{1} << 30;

struct Column {
  std::string_view name;
  double WeatherRow::* member;  // null: the time
  bool required;
};

constexpr std::array kColumns{Column{"time", nullptr, true},
                              Column{"global_radiation_w_m2", &WeatherRow::radiation, true},
                              Column{"air_temperature_degc", &WeatherRow::temperature, true},
                              Column{"relative_humidity_pct", &WeatherRow::humidity, true},
                              Column{"wind_speed_m_s", &WeatherRow::wind, false},
                              Column{"co2_ppm", &WeatherRow::co2, true}};

std::string_view next_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

void split(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  for (;;) {
    const std::size_t comma = line.find(',');
    std::string_view field = line.substr(0, comma);
    while (field.starts_with(' ')) field.remove_prefix(1);
    while (field.ends_with(' ')) field.remove_suffix(1);
    fields.push_back(field);
    if (comma == std::string_view::npos) return;
    line.remove_prefix(comma + 1);
  }
}

class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& name, const CsvOptions& options)
      : rest_(text), options_(options) {
    weather_.name = name;
    weather_.time_zone = options.time_zone;
  }

  Result<Weather> read() {
    auto zone = TimeZone::find(options_.time_zone);
    if (!zone) return std::unexpected(zone.error());
    zone_ = *zone;
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
    if (auto done = read_header(); !done) return std::unexpected(done.error());
    while (!rest_.empty()) read_row();
    if (auto done = place_rows(rows_, options_.gap_max_s, weather_); !done)
      return std::unexpected(explained(done.error()));
    return std::move(weather_);
  }

 private:
  // A long hole has a cause: the lines that could not be used.
  Error explained(Error error) const {
    for (std::size_t i = 0; i < std::min<std::size_t>(weather_.notes.size(), 3); ++i)
      error.message += "\n  " + weather_.notes[i];
    return error;
  }

  Result<> read_header() {
    ++line_;
    split(next_line(rest_), fields_);
    width_ = fields_.size();
    for (std::size_t c = 0; c < kColumns.size(); ++c) {
      const auto found = std::ranges::find(fields_, kColumns[c].name);
      if (found != fields_.end()) {
        place_[c] = static_cast<std::size_t>(found - fields_.begin());
      } else if (kColumns[c].required) {
        return fail(Errc::parse,
                    std::format("{}: line 1: no column '{}'; wanted are time, global_radiation_w_m2, "
                                "air_temperature_degc, relative_humidity_pct, co2_ppm and, if known, wind_speed_m_s",
                                weather_.name, kColumns[c].name));
      }
    }
    return {};
  }

  void read_row() {
    ++line_;
    const std::string_view line = next_line(rest_);
    if (line.empty() || line.starts_with('#')) return;
    split(line, fields_);
    TimedRow row{.line = line_};
    std::optional<std::string> trouble = read_fields(row);
    if (!trouble) trouble = repair_or_refuse(row.row);
    if (!trouble && !rows_.empty() && row.time <= rows_.back().time)
      trouble = std::format("{} is not later than the row before", format_rfc3339(row.time));
    if (trouble)
      note(weather_, std::format("line {}: {}", line_, *trouble));
    else
      rows_.push_back(row);
  }

  std::optional<std::string> read_fields(TimedRow& row) {
    if (fields_.size() != width_) return std::format("{} fields where the first line has {}", fields_.size(), width_);
    for (std::size_t c = 0; c < kColumns.size(); ++c) {
      if (!place_[c]) continue;
      const std::string_view field = fields_[*place_[c]];
      if (kColumns[c].member == nullptr) {
        if (auto trouble = read_time(field, row.time)) return trouble;
        continue;
      }
      double& value = row.row.*kColumns[c].member;
      const auto [end, code] = std::from_chars(field.data(), field.data() + field.size(), value);
      if (code != std::errc{} || end != field.data() + field.size() || !std::isfinite(value))
        return std::format("{} is '{}', not a number", kColumns[c].name, field.substr(0, 40));
    }
    return std::nullopt;
  }

  std::optional<std::string> read_time(std::string_view field, TimePoint& time) {
    if (field.size() > 19 || field.ends_with('Z')) {
      const auto parsed = parse_rfc3339(field);
      if (!parsed) return std::format("time is '{}'", field.substr(0, 40));
      time = *parsed;
      return std::nullopt;
    }
    const auto local = parse_civil_time(field);
    if (!local) return local.error().message;
    const auto utc = zone_.to_utc(*local, rows_.empty() ? TimePoint::min() : rows_.back().time);
    if (!utc) return std::format("there was no {} in {}: the clock was put forward", field, options_.time_zone);
    time = *utc;
    return std::nullopt;
  }

  std::string_view rest_;
  CsvOptions options_;
  TimeZone zone_;
  Weather weather_;
  std::vector<TimedRow> rows_;
  std::vector<std::string_view> fields_;
  std::array<std::optional<std::size_t>, kColumns.size()> place_;
  std::size_t width_ = 0;
  std::size_t line_ = 0;
};

Result<std::string> unpacked(const std::string& bytes, const std::string& name) {
  if (!bytes.starts_with("\x1f\x8b")) return bytes;
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) return fail(Errc::internal, "zlib could not start");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string text;
  std::array<char, 1 << 16> chunk;
  int status = Z_OK;
  while (status == Z_OK && text.size() <= kUnpackedMax) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    status = inflate(&stream, Z_NO_FLUSH);
    text.append(chunk.data(), chunk.size() - stream.avail_out);
    // A gzip file may be several, one after the other.
    if (status == Z_STREAM_END && stream.avail_in > 0) status = inflateReset(&stream);
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END)
    return fail(Errc::corrupt, std::format("{}: the gzip file is damaged, cut short or larger than 1 GiB", name));
  return text;
}

}  // namespace

Result<Weather> parse_weather_csv(std::string_view text, const std::string& name, const CsvOptions& options) {
  return CsvReader(text, name, options).read();
}

Result<Weather> load_weather_csv(const std::filesystem::path& path, const CsvOptions& options) {
  const auto bytes = read_file(path);
  if (!bytes) return std::unexpected(bytes.error());
  const auto text = unpacked(*bytes, path.string());
  if (!text) return std::unexpected(text.error());
  return parse_weather_csv(*text, path.filename().string(), options);
}

}  // namespace rltune::env
