// What the plant did, minute by minute: the historian's rollups as samples
// rltune_plant_value{tag=,unit=,statistic="mean"| "min"|"max"}, timed at the minute's beginning, each once. Where it
// left off stands in a small file; what a crash left between the buffer and that file is found again in the buffer.
//
// A minute is told once the historian has one that begins two minutes later, so that late samples and those that were
// read back after a connection was lost are in it; what comes later still is in the historian alone. Minutes are the
// site's clock: those of a simulated past are told as such.
//
// Threads: one. Memory: one batch.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "rltune/historian/historian.hpp"
#include "rltune/telemetry/metric_sample.hpp"
#include "rltune/telemetry/record_source.hpp"

namespace rltune::polling {

struct PlantHistoryOptions {
  std::filesystem::path historian;            // its folder
  std::filesystem::path position;             // the file
  std::map<std::string, std::string> units;   // by tag; the label is left out where there is none
  std::map<std::string, std::string> labels;  // of every sample: site
  Duration settled = std::chrono::minutes(2);
  Duration first = std::chrono::hours(1);  // without a position: so much of what is there
  std::size_t samples_max = 10'000;        // of a batch, or one minute of every tag
};

class PlantHistory {
 public:
  // `stored`: where batches go to, to find what of them is there already. Errors: corrupt: the file is none of ours,
  // and remove it to begin anew; io.
  static Result<PlantHistory> open(PlantHistoryOptions options, telemetry::RecordSource& stored);

  // What comes next, ascending by time; empty: nothing yet. The same again until it is done(). Errors: not_found: there
  // is no historian yet; those of its files.
  Result<std::vector<telemetry::MetricSample>> next();
  // The batch of next() is durable; also of an empty one, so that the file does not fall far behind the buffer.
  // `acknowledged`: the buffer's last record by then. Errors: io, no_space.
  Result<> done(std::uint64_t acknowledged);

 private:
  explicit PlantHistory(PlantHistoryOptions options) : options_(std::move(options)) {}
  Result<> load();
  Result<> find_told(telemetry::RecordSource& stored);
  Result<> save() const;
  Result<std::vector<telemetry::MetricSample>> read(const historian::Historian& history);
  void tell(const std::string& tag, const historian::Rollup& rollup, std::vector<telemetry::MetricSample>& into) const;

  using Key = std::pair<std::int64_t, std::string>;  // a minute in ms, and a tag with its statistic
  PlantHistoryOptions options_;
  TimePoint next_{};  // the first minute that is not told
  bool begun_ = false;
  std::uint64_t sequence_ = 0;  // what the buffer held when `next_` was written
  TimePoint after_{};           // next_ once the batch is done
  std::set<Key> told_;          // beyond next_, before a crash
};

}  // namespace rltune::polling
