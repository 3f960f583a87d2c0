// InfluxDB's line protocol (docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol), for v2 and v3
// (/api/v2/write), v1 (/write) and Timestream for InfluxDB: the name is the measurement, labels are tags, the one field
// is `value`.
#include <algorithm>
#include <cmath>
#include <format>

#include "encoding.hpp"
#include "rltune/telemetry/metric_sample.hpp"

namespace rltune::forward {
namespace {

// `special` gets a backslash. What the protocol cannot say becomes what it can: a line feed a space, a backslash at the
// end, which would join with what follows, a slash.
std::string escaped(std::string_view text, std::string_view special) {
  std::string out;
  for (const char given : text) {
    const char c = given == '\n' || given == '\r' ? ' ' : given;
    if (special.contains(c)) out += '\\';
    out += c;
  }
  if (out.ends_with('\\')) out.back() = '/';
  return out;
}

class InfluxEncoding final : public Encoding {
 public:
  // Times are in milliseconds; both versions know the word.
  std::string url(const std::string& configured, const std::string&) const override {
    if (configured.contains("precision=")) return configured;
    return configured + (configured.contains('?') ? "&" : "?") + "precision=ms";
  }

  Encoded encode(const Batch& batch) const override {
    Encoded encoded{.content_type = "text/plain; charset=utf-8"};
    for (const Record& record : batch.records) {
      auto sample = telemetry::parse_metric(record.entry);
      if (!sample) {
        encoded.unfit.push_back({record.sequence, sample.error().message});
      } else if (!std::isfinite(sample->value)) {
        encoded.unfit.push_back({record.sequence, "InfluxDB takes no NaN and nothing infinite"});
      } else {
        if (!record.site.empty()) sample->labels.try_emplace("site", record.site);
        encoded.body += line_of(*sample);
      }
    }
    return encoded;
  }

 private:
  static std::string line_of(const telemetry::MetricSample& sample) {
    std::string line = escaped(sample.name, ", ");
    for (const auto& [name, value] : sample.labels)
      if (!value.empty()) line += "," + escaped(name, ", =") + "=" + escaped(value, ", =");
    return line + std::format(" value={} {}\n", sample.value, sample.unix_ms);
  }
};

}  // namespace

std::unique_ptr<Encoding> make_influx_encoding() { return std::make_unique<InfluxEncoding>(); }

}  // namespace rltune::forward
