#include "rltune/historian/historian.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "rltune/base/file.hpp"
#include "rltune/base/random.hpp"
#include "rltune/sqlite/sqlite.hpp"
#include "scratch_folder.hpp"

namespace rltune::historian {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart = parse_rfc3339("2026-01-02T00:00:00Z").value();
const std::vector<std::string> kTags{"temperature", "humidity", "forecast"};

Sample make_sample(std::uint32_t tag, TimePoint time, double value, Quality quality = Quality::good) {
  return {
      .tag = tag, .value = value, .source_time = time, .received_time = time + 20ms, .quality = quality, .status = 7};
}

Historian open(const std::filesystem::path& folder, Retention retention = {}) {
  auto historian = Historian::open({.folder = folder, .retention = retention}, kTags);
  EXPECT_TRUE(historian) << historian.error().message;
  return std::move(*historian);
}

void append_and_flush(Historian& historian, const std::vector<Sample>& samples) {
  historian.append(samples);
  const auto flushed = historian.flush();
  ASSERT_TRUE(flushed) << flushed.error().message;
}

std::vector<Sample> ramp(std::uint32_t tag, TimePoint start, Duration step, int count) {
  std::vector<Sample> samples;
  for (int i = 0; i < count; ++i) samples.push_back(make_sample(tag, start + step * i, i));
  return samples;
}

TEST(Historian, samples_come_back_as_they_were) {
  const ScratchFolder scratch;
  auto historian = open(scratch.path());
  Sample bad = make_sample(0, kStart + 1s, std::numeric_limits<double>::quiet_NaN(), Quality::bad);
  bad.status = 0x80340000U;
  append_and_flush(historian, {make_sample(0, kStart, -0.1), bad, make_sample(1, kStart, 1e300, Quality::uncertain)});
  const auto read = historian.samples("temperature", kStart, kStart + 1h, 10);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ((*read)[0].value, -0.1);
  EXPECT_EQ((*read)[0].received_time, kStart + 20ms);
  EXPECT_EQ((*read)[0].status, 7U);
  EXPECT_TRUE(std::isnan((*read)[1].value));
  EXPECT_EQ((*read)[1].quality, Quality::bad);
  EXPECT_EQ((*read)[1].status, 0x80340000U);
  const auto other = historian.samples("humidity", kStart, kStart + 1h, 10);
  ASSERT_EQ(other->size(), 1U);
  EXPECT_EQ((*other)[0].tag, 1U);
  EXPECT_EQ((*other)[0].quality, Quality::uncertain);
}

TEST(Historian, ranges_are_half_open_and_pages_follow_one_another) {
  const ScratchFolder scratch;
  auto historian = open(scratch.path());
  append_and_flush(historian, ramp(0, kStart, 1s, 1000));
  EXPECT_EQ(historian.samples("temperature", kStart + 10s, kStart + 20s, 100)->size(), 10U);
  std::vector<double> values;
  TimePoint from = kStart;
  while (true) {
    const auto page = historian.samples("temperature", from, kStart + 1h, 37);
    ASSERT_TRUE(page);
    if (page->empty()) break;
    for (const Sample& sample : *page) values.push_back(sample.value);
    from = page->back().source_time + 1ns;
  }
  ASSERT_EQ(values.size(), 1000U);
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], static_cast<double>(i));
}

TEST(Historian, elements_of_one_instant_stay_on_one_page) {
  const ScratchFolder scratch;
  auto historian = open(scratch.path());
  std::vector<Sample> samples;
  for (int i = 0; i < 4; ++i)
    for (std::uint32_t element = 0; element < 10; ++element) {
      samples.push_back(make_sample(2, kStart + 1min * i, 100.0 * i + element));
      samples.back().element = element;
    }
  append_and_flush(historian, samples);
  EXPECT_EQ(historian.samples("forecast", kStart, kStart + 1h, 25)->size(), 20U);
  EXPECT_EQ(historian.samples("forecast", kStart, kStart + 1h, 3)->size(), 10U);
  EXPECT_EQ(historian.samples("forecast", kStart, kStart + 1h, 40)->size(), 40U);
}

TEST(Historian, late_and_repeated_samples_find_their_place) {
  const ScratchFolder scratch;
  auto historian = open(scratch.path());
  append_and_flush(historian, {make_sample(0, kStart + 2s, 2.0), make_sample(0, kStart + 4s, 4.0)});
  append_and_flush(historian, {make_sample(0, kStart + 3s, 3.0), make_sample(0, kStart + 2s, 20.0)});
  const auto read = historian.samples("temperature", kStart, kStart + 1h, 10);
  ASSERT_EQ(read->size(), 3U);
  EXPECT_EQ((*read)[0].value, 20.0);
  EXPECT_EQ((*read)[1].value, 3.0);
}

TEST(Historian, tags_are_known_by_name_after_the_list_changed) {
  const ScratchFolder scratch;
  {
    auto historian = open(scratch.path());
    append_and_flush(historian, {make_sample(0, kStart, 1.0), make_sample(1, kStart, 2.0)});
  }
  const std::vector<std::string> changed{"humidity", "radiation", "temperature"};
  auto historian = Historian::open({.folder = scratch.path()}, changed);
  ASSERT_TRUE(historian);
  append_and_flush(*historian, {make_sample(2, kStart + 1s, 3.0), make_sample(1, kStart, 4.0)});
  const auto read = historian->samples("temperature", kStart, kStart + 1h, 10);
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ((*read)[0].value, 1.0);
  EXPECT_EQ((*read)[1].value, 3.0);
  EXPECT_EQ((*read)[0].tag, 2U);
  EXPECT_EQ(historian->samples("forecast", kStart, kStart + 1h, 10).error().code, Errc::not_found);
}

// The definition, over all samples at once.
Rollup expected_rollup(const std::vector<Sample>& samples, TimePoint start, Duration length) {
  Rollup rollup{.start = start};
  double sum = 0.0;
  for (const Sample& sample : samples) {
    if (sample.source_time < start || sample.source_time >= start + length) continue;
    if (sample.quality != Quality::good) {
      ++rollup.bad;
      continue;
    }
    rollup.minimum = rollup.count == 0 ? sample.value : std::min(rollup.minimum, sample.value);
    rollup.maximum = rollup.count == 0 ? sample.value : std::max(rollup.maximum, sample.value);
    rollup.last = sample.value;
    sum += sample.value;
    ++rollup.count;
  }
  rollup.mean = rollup.count == 0 ? 0.0 : sum / static_cast<double>(rollup.count);
  return rollup;
}

void expect_rollups(const Historian& historian, const std::vector<Sample>& samples, Resolution resolution,
                    Duration length) {
  const auto rollups = historian.rollups("temperature", resolution, kStart, kStart + 24h, 10'000);
  ASSERT_TRUE(rollups) << rollups.error().message;
  std::size_t at = 0;
  for (TimePoint start = kStart; start < samples.back().source_time; start += length) {
    const Rollup expected = expected_rollup(samples, start, length);
    if (expected.count + expected.bad == 0) continue;
    ASSERT_LT(at, rollups->size());
    const Rollup& found = (*rollups)[at++];
    EXPECT_EQ(found.start, expected.start);
    EXPECT_EQ(found.count, expected.count);
    EXPECT_EQ(found.bad, expected.bad);
    EXPECT_EQ(found.minimum, expected.minimum);
    EXPECT_EQ(found.maximum, expected.maximum);
    EXPECT_EQ(found.last, expected.last);
    EXPECT_NEAR(found.mean, expected.mean, 1e-9);
  }
  EXPECT_EQ(at, rollups->size());
}

TEST(Historian, rollups_are_what_their_samples_say) {
  const ScratchFolder scratch;
  auto historian = open(scratch.path());
  Random random(2);
  std::vector<Sample> samples;
  TimePoint time = kStart;
  while (time < kStart + 5h) {
    const Quality quality = random.uniform() < 0.1 ? Quality::bad : Quality::good;
    samples.push_back(make_sample(0, time, random.uniform(-50.0, 50.0), quality));
    time += from_seconds(random.uniform(0.5, 90.0));
  }
  // In four parts with maintenance in between, so that every resolution is computed again.
  const std::size_t quarter = samples.size() / 4;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto begin = samples.begin() + static_cast<std::ptrdiff_t>(i * quarter);
    append_and_flush(historian, {begin, i == 3 ? samples.end() : begin + static_cast<std::ptrdiff_t>(quarter)});
    const auto maintained = historian.maintain(time);
    ASSERT_TRUE(maintained) << maintained.error().message;
  }
  expect_rollups(historian, samples, Resolution::minute, 1min);
  expect_rollups(historian, samples, Resolution::five_minutes, 5min);
  expect_rollups(historian, samples, Resolution::hour, 1h);
  // A late sample changes its minute and what stands on it.
  Sample late = make_sample(0, kStart + 30min + 1ns, 1000.0);
  append_and_flush(historian, {late});
  ASSERT_TRUE(historian.maintain(time));
  EXPECT_EQ(historian.rollups("temperature", Resolution::hour, kStart, kStart + 1h, 1)->front().maximum, 1000.0);
  EXPECT_EQ(historian.rollups("temperature", Resolution::raw, kStart, kStart + 1h, 1).error().code,
            Errc::invalid_argument);
}

TEST(Historian, retention_by_age_takes_each_resolution_at_its_time) {
  const ScratchFolder scratch;
  const Retention retention{.raw = 1h, .minute = 2h, .five_minutes = 10h};
  auto historian = open(scratch.path(), retention);
  const int hours = 24;
  for (int hour = 0; hour < hours; ++hour) {
    append_and_flush(historian, ramp(0, kStart + 1h * hour, 1s, 3600));
    ASSERT_TRUE(historian.maintain(kStart + 1h * (hour + 1)));
  }
  const TimePoint end = kStart + 1h * hours;
  EXPECT_EQ(historian.samples("temperature", end - 1h, end, 10'000)->size(), 3600U);
  EXPECT_EQ(historian.samples("temperature", kStart, end - 4h, 10'000)->size(), 0U);
  EXPECT_EQ(historian.rollups("temperature", Resolution::minute, end - 2h, end, 1000)->size(), 120U);
  EXPECT_EQ(historian.rollups("temperature", Resolution::minute, kStart, end - 2h, 1000)->size(), 0U);
  EXPECT_EQ(historian.rollups("temperature", Resolution::five_minutes, end - 10h, end, 1000)->size(), 120U);
  EXPECT_EQ(historian.rollups("temperature", Resolution::five_minutes, kStart, end - 10h, 1000)->size(), 0U);
  const auto all = historian.rollups("temperature", Resolution::hour, kStart, end, 1000);
  ASSERT_EQ(all->size(), static_cast<std::size_t>(hours));
  for (const Rollup& rollup : *all) EXPECT_EQ(rollup.count, 3600U);
  EXPECT_EQ(historian.status().samples_committed, 3600U * hours);
}

TEST(Historian, sample_older_than_its_minutes_does_not_spoil_the_rollup) {
  const ScratchFolder scratch;
  auto historian = open(scratch.path(), {.raw = 1h, .minute = 100h, .five_minutes = 100h});
  for (int hour = 0; hour < 6; ++hour) {
    append_and_flush(historian, ramp(0, kStart + 1h * hour, 1s, 3600));
    ASSERT_TRUE(historian.maintain(kStart + 1h * (hour + 1)));
  }
  append_and_flush(historian, {make_sample(0, kStart + 10s + 1ns, 5.0)});
  ASSERT_TRUE(historian.maintain(kStart + 6h));
  EXPECT_EQ(historian.rollups("temperature", Resolution::minute, kStart, kStart + 1min, 1)->front().count, 60U);
}

TEST(Historian, wrong_clock_of_a_sensor_ages_nothing) {
  const ScratchFolder scratch;
  auto historian = open(scratch.path(), {.raw = 1h, .minute = 2h, .five_minutes = 3h});
  append_and_flush(historian, ramp(0, kStart, 1s, 100));
  Sample future = make_sample(1, kStart + std::chrono::days(40'000), 1.0);
  future.received_time = kStart + 100s;
  append_and_flush(historian, {future});
  std::vector<Sample> more = ramp(0, kStart + 200s, 1s, 10);
  append_and_flush(historian, more);
  // The writer thread's own maintenance goes by what it has seen; asking with that instant is the same.
  ASSERT_TRUE(historian.maintain(kStart + 210s));
  EXPECT_EQ(historian.samples("temperature", kStart, kStart + 1h, 1000)->size(), 110U);
  EXPECT_EQ(historian.rollups("temperature", Resolution::minute, kStart, kStart + 1h, 100)->size(), 3U);
}

TEST(Historian, retention_by_size_keeps_below_its_limit) {
  const ScratchFolder scratch;
  Retention retention;
  retention.bytes_max = 4U << 20U;
  auto historian = open(scratch.path(), retention);
  for (int i = 0; i < 60; ++i) {
    append_and_flush(historian, ramp(0, kStart + 5000s * i, 1s, 5000));
    if (i % 5 == 4) {
      ASSERT_TRUE(historian.maintain(kStart + 5000s * i));
    }
    // Between two rounds of maintenance at most what came in meanwhile stands above it.
    const Status status = historian.status();
    EXPECT_LT(status.bytes_database, 2 * retention.bytes_max);
  }
  ASSERT_TRUE(historian.maintain(kStart + 300'000s));
  EXPECT_LE(historian.status().bytes_database, retention.bytes_max);
  EXPECT_EQ(historian.samples("temperature", kStart + 295'000s, kStart + 300'000s, 10'000)->size(), 5000U);
  EXPECT_TRUE(historian.samples("temperature", kStart, kStart + 5000s, 10)->empty());
  EXPECT_EQ(historian.rollups("temperature", Resolution::hour, kStart, kStart + 300'000s, 1000)->size(), 84U);
}

TEST(Historian, reader_process_sees_what_a_writer_commits) {
  const ScratchFolder scratch;
  auto historian = open(scratch.path());
  append_and_flush(historian, ramp(0, kStart, 1s, 100));
  auto reader = Historian::open_reader(scratch.path());
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_EQ(reader->samples("temperature", kStart, kStart + 1h, 1000)->size(), 100U);
  append_and_flush(historian, ramp(0, kStart + 100s, 1s, 100));
  EXPECT_EQ(reader->samples("temperature", kStart, kStart + 1h, 1000)->size(), 200U);
  EXPECT_EQ(reader->status().samples_committed, 200U);
  EXPECT_FALSE(reader->maintain(kStart));
}

TEST(Historian, second_writer_is_refused) {
  const ScratchFolder scratch;
  auto historian = open(scratch.path());
  const auto second = Historian::open({.folder = scratch.path()}, kTags);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::denied);
}

TEST(Historian, damaged_file_is_named_and_the_rest_goes_on) {
  const ScratchFolder scratch;
  {
    auto historian = open(scratch.path());
    append_and_flush(historian, ramp(0, kStart, 1s, 100));
  }
  ASSERT_TRUE(write_file(scratch.path() / "raw-00000001.db", std::string(9000, 'x')));
  auto historian = open(scratch.path());
  EXPECT_NE(historian.status().damage.find("raw-00000001.db is damaged"), std::string::npos)
      << historian.status().damage;
  EXPECT_EQ(historian.status().trouble, "") << "samples are stored";
  append_and_flush(historian, ramp(0, kStart + 100s, 1s, 50));
  EXPECT_EQ(historian.samples("temperature", kStart, kStart + 1h, 1000)->size(), 50U);
}

std::size_t put_aside_in(const std::filesystem::path& folder, const std::string& name) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    count += entry.path().filename().string().starts_with(name + ".damaged-") ? 1U : 0U;
  return count;
}

// The header is found out at the start; the other pages before they are written to.
TEST(Historian, a_damaged_file_is_put_aside_once) {
  const ScratchFolder scratch;
  for (const std::size_t from : {std::size_t{0}, std::size_t{4096}}) {
    {
      auto historian = open(scratch.path());
      append_and_flush(historian, ramp(0, kStart, 1s, 1000));
    }
    const auto file = scratch.path() / "raw-00000001.db";
    std::string bytes = read_file(file).value();
    ASSERT_GT(bytes.size(), 3 * 4096U);
    std::ranges::fill(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(), 'x');
    ASSERT_TRUE(write_file(file, bytes));
    {
      auto historian = open(scratch.path());
      append_and_flush(historian, ramp(0, kStart + 2000s, 1s, 10));
      EXPECT_NE(historian.status().damage.find("raw-00000001.db is damaged"), std::string::npos);
      EXPECT_EQ(historian.samples("temperature", kStart, kStart + 1h, 2000)->size(), 10U);
    }
    EXPECT_EQ(open(scratch.path()).status().damage, "");
    for (const auto& entry : std::filesystem::directory_iterator(scratch.path()))
      if (entry.path().filename().string().starts_with("raw-") && entry.path().extension() == ".db")
        std::filesystem::remove(entry.path());
  }
  EXPECT_EQ(put_aside_in(scratch.path(), "raw-00000001.db"), 2U);
}

// Rollups follow from samples: whatever is left of those, they are computed again.
TEST(Historian, damaged_rollups_are_computed_again) {
  const ScratchFolder scratch;
  std::vector<Rollup> whole;
  {
    auto historian = open(scratch.path());
    append_and_flush(historian, ramp(0, kStart, 1s, 600));
    ASSERT_TRUE(historian.maintain(kStart + 600s));
    whole = *historian.rollups("temperature", Resolution::minute, kStart - 1h, kStart + 1h, 1000);
    ASSERT_GE(whole.size(), 10U);
  }
  const auto file = scratch.path() / "rollups.db";
  std::string bytes = read_file(file).value();
  // The header; then every page but the first, which is found out when they are written.
  for (const std::size_t from : {std::size_t{0}, std::size_t{4096}}) {
    std::string damaged = bytes;
    std::ranges::fill(damaged.begin() + static_cast<std::ptrdiff_t>(from), damaged.end(), 'x');
    ASSERT_TRUE(write_file(file, damaged));
    auto historian = open(scratch.path());
    append_and_flush(historian, ramp(0, kStart + 600s, 1s, 60));
    const auto maintained = historian.maintain(kStart + 660s);
    ASSERT_TRUE(maintained) << maintained.error().message;
    const auto again = historian.rollups("temperature", Resolution::minute, kStart - 1h, kStart + 1h, 1000);
    ASSERT_TRUE(again) << again.error().message;
    ASSERT_GE(again->size(), whole.size());
    for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
      EXPECT_EQ((*again)[i].start, whole[i].start);
      EXPECT_EQ((*again)[i].mean, whole[i].mean);
      EXPECT_EQ((*again)[i].count, whole[i].count);
    }
    EXPECT_NE(historian.status().damage.find("rollups.db is damaged"), std::string::npos) << historian.status().damage;
    EXPECT_EQ(historian.status().trouble, "");
  }
  EXPECT_EQ(put_aside_in(scratch.path(), "rollups.db"), 2U);
}

TEST(Historian, restart_continues_the_last_file) {
  const ScratchFolder scratch;
  for (int i = 0; i < 5; ++i) {
    auto historian = open(scratch.path());
    append_and_flush(historian, ramp(0, kStart + 100s * i, 1s, 100));
  }
  EXPECT_FALSE(std::filesystem::exists(scratch.path() / "raw-00000002.db"));
  EXPECT_EQ(open(scratch.path()).samples("temperature", kStart, kStart + 1h, 1000)->size(), 500U);
}

TEST(Historian, small_queue_drops_the_oldest_and_says_so) {
  const ScratchFolder scratch;
  auto historian = Historian::open({.folder = scratch.path(), .queue_samples_max = 100, .batch_wait = 10s}, kTags);
  ASSERT_TRUE(historian);
  historian->append(ramp(0, kStart, 1s, 250));
  const auto flushed = historian->flush();
  ASSERT_FALSE(flushed);
  EXPECT_NE(flushed.error().message.find("150 samples were dropped"), std::string::npos);
  EXPECT_EQ(historian->status().samples_dropped, 150U);
  const auto kept = historian->samples("temperature", kStart, kStart + 1h, 1000);
  ASSERT_EQ(kept->size(), 100U);
  EXPECT_EQ(kept->front().value, 150.0);
  EXPECT_TRUE(historian->flush());
}

}  // namespace
}  // namespace rltune::historian
