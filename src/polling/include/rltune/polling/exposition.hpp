// What a /metrics endpoint answers: Prometheus' text exposition format, version 0.0.4.
// https://prometheus.io/docs/instrumenting/exposition_formats/
//
// A body is taken as a whole or not at all, as Prometheus does. Stricter than it: the last line ends too, so that a cut
// number is not taken for another, and no series stands there twice.
#pragma once

#include <string_view>
#include <vector>

#include "rltune/telemetry/metric_sample.hpp"

namespace rltune::polling {

struct ExpositionLimits {
  std::size_t bytes_max = std::size_t{4} << 20U;
  std::size_t series_max = 20'000;
  std::size_t labels_max = telemetry::kLabelsMax - 16;  // the rest is for those of the target
};

// The samples as they stand there; those without a timestamp of their own get `unix_ms`. Outside bytes: whatever they
// are. Errors: parse, naming the line.
Result<std::vector<telemetry::MetricSample>> parse_exposition(std::string_view text, std::int64_t unix_ms,
                                                              const ExpositionLimits& limits = {});

}  // namespace rltune::polling
