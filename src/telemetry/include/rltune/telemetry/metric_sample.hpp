// One value of one time series, as the metrics buffer keeps it: {"name":"rltune_role_up","labels":{"role":"io"},
// "timestamp":1756116000000,"value":1}. `timestamp`: milliseconds since 1970, UTC. A value that is no number of JSON is
// a text: "NaN", "+Inf", "-Inf".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"

namespace rltune::telemetry {

inline constexpr std::size_t kLabelsMax = 64, kMetricNameMax = 256, kLabelValueMax = 4096;

struct MetricSample {
  std::string name;  // as Prometheus takes it
  std::map<std::string, std::string> labels;
  std::int64_t unix_ms = 0;
  double value = 0.0;
  bool operator==(const MetricSample&) const = default;
};

// Of text that is no UTF-8 each byte beyond ASCII becomes '?'.
std::string to_payload(const MetricSample& sample);
// Outside bytes: whatever they are. Errors: parse, naming the field.
Result<MetricSample> parse_metric(std::string_view payload);

}  // namespace rltune::telemetry
