// One rule and the series that it looks at: what figure each of them shows now.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "growth.hpp"
#include "instance_json.hpp"
#include "rltune/alerts/engine.hpp"

namespace rltune::alerts {

using SeriesLabels = std::map<std::string, std::string>;

// A series, as a key of maps and in the hash of an alert's id.
std::string key_of(const SeriesLabels& labels);

struct Series {
  SeriesLabels labels;
  double last = 0.0;
  TimePoint first{}, seen{};
  Growth growth;
};

// A figure of an alert's series; none: nothing can be said.
struct Figure {
  std::string key;
  SeriesLabels labels;
  std::optional<double> value;
};

class RuleWatch {
 public:
  RuleWatch(config::Alert rule, TimePoint now);

  const config::Alert& rule() const noexcept { return rule_; }
  bool looks_at(const telemetry::MetricSample& sample) const;
  // False: it is of a series for which there is no room.
  bool take(const telemetry::MetricSample& sample, TimePoint at, bool has_room);
  void take(const LogFacts& entry, TimePoint at);

  // Of each series that is there; forgets those that are not any more.
  std::vector<Figure> figures(TimePoint now, Duration lookback);
  std::size_t series() const noexcept { return series_.size() + parts_of_.size(); }

  bool is_over(double value) const;   // the condition holds
  bool is_clear(double value) const;  // and does not any more; between them is the hysteresis
  // For people: "up is 0, below 1 (role io)".
  std::string summary(double value, const SeriesLabels& labels) const;

  // What rates and absences need of the past. `pause`: nobody watched for so long before `now`.
  Json state() const;
  void restore(const Json& json, TimePoint now, Duration pause, Duration lookback);

 private:
  std::string said(double value) const;
  using SeriesMap = std::map<std::string, Series>;
  SeriesLabels labels_of(const telemetry::MetricSample& sample, bool part) const;
  std::optional<double> figure_of(const std::string& key, Series& series, TimePoint now, Duration lookback);
  std::optional<double> ratio_of(const std::string& key, Series& series, TimePoint now);
  void forget(SeriesMap& series, TimePoint now, Duration lookback) const;
  bool counts() const noexcept;

  config::Alert rule_;
  log::Level level_ = log::Level::error;
  Duration window_{};
  TimePoint begun_{};   // watched without a pause since
  TimePoint seen_{};    // the newest of any series, or entry
  Growth entries_;      // of a rule on logs
  SeriesMap series_;    // by the alert's labels
  SeriesMap parts_of_;  // ratio: what they are a part of
};

}  // namespace rltune::alerts
