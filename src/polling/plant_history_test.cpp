#include "rltune/polling/plant_history.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "rltune/base/file.hpp"
#include "scratch_folder.hpp"

namespace rltune::polling {
namespace {

using namespace std::chrono_literals;
using historian::Historian;
using historian::ScratchFolder;
using telemetry::MetricSample;
using Samples = std::vector<MetricSample>;

const TimePoint kStart = parse_rfc3339("2026-01-02T00:00:00Z").value();
const std::vector<std::string> kTags{"temperature", "humidity"};

// What a buffer keeps, as far as finding samples again goes.
class Stored final : public telemetry::RecordSource {
 public:
  Result<telemetry::StoredBatch> read(std::uint64_t from, std::size_t) override {
    telemetry::StoredBatch batch;
    for (std::uint64_t i = from; i <= records_.size() && batch.records.size() < 7; ++i)
      batch.records.push_back({i, 0, records_[i - 1]});
    batch.next = from + batch.records.size();
    return batch;
  }
  std::uint64_t floor() const override { return 1; }
  std::uint64_t acknowledged() const override { return records_.size(); }
  void commit(const Samples& samples) {
    for (const MetricSample& sample : samples) records_.push_back(to_payload(sample));
  }
  Samples all() const {
    Samples samples;
    for (const std::string& record : records_) samples.push_back(*telemetry::parse_metric(record));
    return samples;
  }

 private:
  std::vector<std::string> records_;
};

class PlantHistoryTest : public ::testing::Test {
 protected:
  PlantHistoryTest() : historian_(Historian::open({.folder = scratch_.path() / "data"}, kTags).value()) {}

  // A sample every 20 s, in [from, to): 10, 11 and 12 in the minute after the first.
  void record(Duration from, Duration to, std::uint32_t tag = 0) {
    std::vector<Sample> samples;
    for (Duration at = from; at < to; at += 20s)
      samples.push_back({.tag = tag,
                         .value = static_cast<double>(10 * (at / 1min) + at % 1min / 20s),
                         .source_time = kStart + at,
                         .received_time = kStart + at,
                         .quality = Quality::good});
    historian_.append(samples);
    ASSERT_TRUE(historian_.flush());
    ASSERT_TRUE(historian_.maintain(kStart + to));
  }
  PlantHistoryOptions options() const {
    return {.historian = scratch_.path() / "data",
            .position = scratch_.path() / "position.json",
            .units = {{"temperature", "degC"}},
            .labels = {{"site", "pilot"}}};
  }
  PlantHistory open() {
    auto history = PlantHistory::open(options(), stored_);
    EXPECT_TRUE(history) << history.error().message;
    return std::move(*history);
  }
  // Everything that there is, and the number of batches.
  int drain(PlantHistory& history) {
    for (int batches = 0;; ++batches) {
      const auto samples = history.next();
      EXPECT_TRUE(samples) << samples.error().message;
      if (!samples || samples->empty()) return batches;
      stored_.commit(*samples);
      EXPECT_TRUE(history.done(stored_.acknowledged()));
    }
  }
  // Minutes of the statistic, counted from the start, as they stand in the buffer.
  std::vector<std::int64_t> minutes(const std::string& statistic = "mean",
                                    const std::string& tag = "temperature") const {
    std::vector<std::int64_t> minutes;
    for (const MetricSample& sample : stored_.all())
      if (sample.labels.at("statistic") == statistic && sample.labels.at("tag") == tag)
        minutes.push_back((sample.unix_ms -
                           std::chrono::duration_cast<std::chrono::milliseconds>(kStart.time_since_epoch()).count()) /
                          60'000);
    return minutes;
  }
  static std::vector<std::int64_t> range(std::int64_t from, std::int64_t to) {
    std::vector<std::int64_t> all;
    for (std::int64_t i = from; i < to; ++i) all.push_back(i);
    return all;
  }

  ScratchFolder scratch_;
  Historian historian_;
  Stored stored_;
};

TEST_F(PlantHistoryTest, a_minute_is_told_with_its_figures_once_later_ones_are_there) {
  PlantHistory history = open();
  EXPECT_EQ(history.next(), Samples());
  record(0s, 2min);
  EXPECT_EQ(history.next(), Samples());
  record(2min, 3min);
  const auto samples = history.next();
  const std::int64_t ms = std::chrono::duration_cast<std::chrono::milliseconds>(kStart.time_since_epoch()).count();
  const auto expected = [&](const char* statistic, double value) {
    return MetricSample{"rltune_plant_value",
                        {{"site", "pilot"}, {"tag", "temperature"}, {"unit", "degC"}, {"statistic", statistic}},
                        ms,
                        value};
  };
  EXPECT_EQ(samples, (Samples{expected("mean", 1), expected("min", 0), expected("max", 2)}));
  EXPECT_EQ(history.next(), *samples) << "until it is done";
  stored_.commit(*samples);
  ASSERT_TRUE(history.done(stored_.acknowledged()));
  EXPECT_EQ(history.next(), Samples());
}

TEST_F(PlantHistoryTest, begins_with_the_last_hour_and_tells_each_minute_once_through_restarts) {
  record(0s, 3h);
  {
    PlantHistory history = open();
    drain(history);
  }
  EXPECT_EQ(minutes(), range(119, 178));
  record(3h, 4h);
  PlantHistory again = open();
  drain(again);
  EXPECT_EQ(minutes(), range(119, 238));
  EXPECT_EQ(minutes("max"), range(119, 238));
}

TEST_F(PlantHistoryTest, small_batches_and_a_long_pause_skip_nothing) {
  record(0s, 20min);
  PlantHistoryOptions small = options();
  small.samples_max = 1;  // a minute of every tag
  PlantHistory history = *PlantHistory::open(small, stored_);
  EXPECT_EQ(drain(history), 18);
  record(30h, 30h + 10min);
  EXPECT_EQ(drain(history), 10);
  std::vector<std::int64_t> expected = range(0, 20), later = range(1800, 1808);
  expected.insert(expected.end(), later.begin(), later.end());
  EXPECT_EQ(minutes(), expected);
}

TEST_F(PlantHistoryTest, what_came_late_within_two_minutes_is_in_the_figures) {
  record(0s, 1min);
  PlantHistory history = open();
  record(0s, 3min, 1);  // another tag's
  drain(history);
  EXPECT_EQ(minutes(), range(0, 1));
  record(1min, 2min);  // late
  record(3min, 5min, 1);
  drain(history);
  EXPECT_EQ(minutes(), range(0, 2));
  EXPECT_EQ(minutes("mean", "humidity"), range(0, 3));
}

TEST_F(PlantHistoryTest, a_crash_between_the_buffer_and_the_file_doubles_and_skips_nothing) {
  record(0s, 30min);
  {
    PlantHistory history = open();
    drain(history);
  }
  record(30min, 60min);
  {
    PlantHistory history = open();
    Samples samples = *history.next();
    samples.resize(samples.size() / 2);  // of a commit that a crash cut short
    stored_.commit(samples);
  }
  PlantHistory history = open();
  drain(history);
  for (const char* statistic : {"mean", "min", "max"}) EXPECT_EQ(minutes(statistic), range(0, 58)) << statistic;
}

TEST_F(PlantHistoryTest, a_file_that_is_none_of_ours_is_said_and_no_historian_is_no_failure_of_ours) {
  ASSERT_TRUE(write_file(options().position, "{\"next\": 5}"));
  const auto damaged = PlantHistory::open(options(), stored_);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, Errc::corrupt);
  PlantHistoryOptions missing = options();
  missing.position = scratch_.path() / "other.json";
  missing.historian = scratch_.path() / "missing";
  EXPECT_EQ(PlantHistory::open(missing, stored_)->next().error().code, Errc::not_found);
}

}  // namespace
}  // namespace rltune::polling
