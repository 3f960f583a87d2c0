// Whatever a disk does to it, the buffer keeps what it acknowledged: seeded schedules of commits, reads, retention,
// failures and crashes on a simulated disk. RLTUNE_SCHEDULES asks for more of them, RLTUNE_SEED for others; a failure
// names its seed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <format>
#include <map>
#include <set>

#include "index_store.hpp"
#include "manual_clock.hpp"
#include "rltune/telemetry/buffer.hpp"
#include "rltune/telemetry/log_search.hpp"
#include "simulated_disk.hpp"
#include "view.hpp"

namespace rltune::telemetry {
namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// One schedule. What it promised and what it submitted are kept outside of the machine that crashes.
class Schedule {
 public:
  explicit Schedule(std::uint64_t seed) : disk_(seed) {}

  // Empty: every promise was kept.
  std::string run() {
    const std::uint64_t lives = 2 + random().below(3);
    for (std::uint64_t life = 0; life < lives && fault_.empty(); ++life) {
      const bool hard = random().uniform() < 0.5;
      disk_.fail_with(hard ? 0.1 : 0.0, hard ? 0.05 : 0.0);
      disk_.limit(random().uniform() < 0.1 ? 12'000 : 0);
      disk_.crash_after(1 + random().below(60));
      try {
        live();
      } catch (const SimulatedDisk::Crash&) {
        ++crashes;
      }
      // The machine stops, or the process alone: what was not synced is still there then, and may be gone later.
      if (random().uniform() < 0.6) disk_.restart();
    }
    disk_.restart();
    disk_.fail_with(0.0, 0.0);
    disk_.limit(0);
    if (fault_.empty()) {
      auto buffer = open();
      if (!buffer) return "it does not open on a whole disk: " + buffer.error().message;
      check(*buffer);
    }
    return fault_;
  }
  std::uint64_t crashes = 0, acknowledged = 0, unacknowledged = 0, refused = 0, unsent = 0;

 private:
  Random& random() { return disk_.random(); }
  Result<Buffer> open() {
    return Buffer::open(
        disk_.storage(), clock_,
        {.segment_bytes = 300 + random().below(700), .free_bytes_min = 0, .salt = [this] { return random().bits(); }});
  }

  void live() {
    auto buffer = open();
    if (!buffer) return;  // a disk that fails may be one that cannot be opened
    unacknowledged += buffer->recovery().unacknowledged;
    check(*buffer);
    while (fault_.empty()) {
      clock_.advance(std::chrono::seconds(1));
      const double what = random().uniform();
      if (what < 0.8)
        commit(*buffer);
      else if (what < 0.9)
        check(*buffer);
      else
        retain(*buffer);
    }
  }

  void commit(Buffer& buffer) {
    std::vector<std::string> texts(1 + random().below(3));
    for (std::string& text : texts) {
      text = std::to_string(++submitted_) + ":";
      text.resize(text.size() + random().below(random().uniform() < 0.1 ? 400 : 40), 'x');
      known_.push_back(text);
    }
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    const auto done = buffer.commit(views);
    if (!done) {
      ++refused;
      return;
    }
    decided_with_.clear();  // the floor that was is on disk again
    if (done->count() != texts.size()) fault_ = "other numbers than records";
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (!promised_.emplace(done->first + i, texts[i]).second) fault_ = "a number was given twice";
      ++acknowledged;
    }
  }

  void retain(Buffer& buffer) {
    taken_ = std::max(taken_, random().below(buffer.acknowledged() + 1));
    const auto removed = buffer.retain({.bytes_max = 500 + random().below(3000),
                                        .age_max = std::chrono::hours(1),
                                        .taken = [this] { return decided_with_.insert(taken_), taken_; }},
                                       1 + random().below(3));
    // What it let go is no promise any more, and it may have let it go although it could not say so.
    promised_.erase(promised_.begin(), promised_.lower_bound(buffer.floor()));
    check_unsent(buffer);
    if (!removed || !*removed) return;
    if ((*removed)->all.last + 1 != buffer.floor()) fault_ = "it removed something else than it says";
    if (((*removed)->all.last > taken_) != (*removed)->unsent.has_value())
      fault_ = "it says something else of what was not sent";
  }

  // However a crash cut retention: what went between the floor that was and the one that is, and was not taken when
  // retention decided, is counted once. Where the disk failed as the floor was written, that floor may hold only after
  // a crash, and sinks may have taken more by then.
  void check_unsent(const Buffer& buffer) {
    if (buffer.floor() == floor_) {
      unsent += unsent_;
      if (buffer.unsent() != unsent_) fault_ = "it counts something as removed unsent, and nothing was removed";
      return;
    }
    if (buffer.floor() < floor_) fault_ = "the floor went back";
    const std::uint64_t last = buffer.floor() - 1;
    const bool exact = std::ranges::any_of(decided_with_, [&](std::uint64_t taken) {
      return buffer.unsent() == unsent_ + last - std::min(last, std::max(taken, floor_ - 1));
    });
    if (!exact) fault_ = "it counts something else as removed unsent";
    decided_with_.clear();
    floor_ = buffer.floor();
    unsent_ = buffer.unsent();
    unsent += unsent_;
  }

  void check(Buffer& buffer) {
    check_unsent(buffer);
    promised_.erase(promised_.begin(), promised_.lower_bound(buffer.floor()));
    if (buffer.recovery().watermark_gone) fault_ = "the watermark is gone";
    if (!buffer.recovery().lost.empty()) fault_ = "it says that something is lost";
    if (!buffer.recovery().damaged.empty()) fault_ = "it says that a file is damaged";
    if (!promised_.empty() && promised_.rbegin()->first > buffer.acknowledged()) fault_ = "a promise is behind the end";
    std::uint64_t from = 1, last = 0;
    std::map<std::uint64_t, std::string> found;
    while (true) {
      const auto batch = buffer.records().read(from, 200);
      if (!batch) fault_ = batch.error().message;
      if (!fault_.empty() || (batch->records.empty() && batch->lost.empty())) break;
      if (!batch->lost.empty()) fault_ = "a reader is told that something is lost";
      for (const StoredRecord& record : batch->records) {
        if (record.sequence <= last) fault_ = "out of order";
        last = record.sequence;
        found[record.sequence] = record.payload;
        if (!was_submitted(record.payload)) fault_ = "invented: " + record.payload;
      }
      from = batch->next;
    }
    if (!fault_.empty()) return;
    for (const auto& [sequence, text] : promised_)
      if (const auto at = found.find(sequence); at == found.end() || at->second != text)
        fault_ = "lost: " + std::to_string(sequence);
  }
  bool was_submitted(const std::string& text) const {
    const std::uint64_t number = std::strtoull(text.c_str(), nullptr, 10);
    return number >= 1 && number <= known_.size() && known_[number - 1] == text;
  }

  SimulatedDisk disk_;
  ManualClock clock_;
  std::string fault_;
  std::uint64_t submitted_ = 0, taken_ = 0, floor_ = 1, unsent_ = 0;
  std::vector<std::string> known_;
  std::map<std::uint64_t, std::string> promised_;  // by sequence number
  std::set<std::uint64_t> decided_with_;           // what was taken at each retention that may still take hold
};

TEST(CrashModel, what_was_acknowledged_is_there_once_whatever_the_disk_did) {
  const std::uint64_t schedules = number_from("RLTUNE_SCHEDULES", 20'000), first = number_from("RLTUNE_SEED", 1);
  std::uint64_t crashes = 0, acknowledged = 0, unacknowledged = 0, refused = 0, unsent = 0;
  for (std::uint64_t seed = first; seed < first + schedules; ++seed) {
    Schedule schedule(seed);
    const std::string fault = schedule.run();
    ASSERT_EQ(fault, "") << "seed " << seed;
    crashes += schedule.crashes, acknowledged += schedule.acknowledged;
    unacknowledged += schedule.unacknowledged, refused += schedule.refused, unsent += schedule.unsent;
  }
  // The schedules reach what they are for.
  EXPECT_GT(crashes, schedules);
  EXPECT_GT(acknowledged, 5 * schedules);
  EXPECT_GT(unacknowledged, schedules / 20);
  EXPECT_GT(refused, schedules / 5);
  EXPECT_GT(unsent, schedules / 10);
  std::printf(
      "%lu schedules from seed %lu: %lu crashes, %lu records acknowledged, %lu kept unacknowledged, %lu commits "
      "refused\n",
      schedules, first, crashes, acknowledged, unacknowledged, refused);
}

// Retention whose floor could not be synced, and another that chose another floor: of 2,000,000 schedules these found
// that the count of what went unsent was then lost.
TEST(CrashModel, seeds_that_once_failed) {
  for (const std::uint64_t seed : {1'040'322U, 1'140'269U, 1'598'359U, 1'885'744U})
    EXPECT_EQ(Schedule(seed).run(), "") << "seed " << seed;
}

std::string entry(std::uint64_t number) {
  return std::format(
      R"({{"timestamp":"2025-08-25T10:00:00Z","service":"a{}","level":"INFO","message":"{}","correlation_id":"c{}"}})",
      number % 3, std::string(number % 200, 'x'), number % 50);
}

// Writes entries and the indexes of segments until it crashes.
void live_with_indexes(SimulatedDisk& disk, const ManualClock& clock) {
  auto buffer =
      Buffer::open(disk.storage(), clock,
                   {.segment_bytes = 3000, .free_bytes_min = 0, .salt = [&] { return disk.random().bits(); }});
  if (!buffer) return;
  for (std::uint64_t number = 1;; ++number) {
    const std::string text = entry(number);
    const std::string_view view = text;
    (void)buffer->commit({&view, 1});
    if (number % 7 == 0) (void)buffer->retain({.bytes_max = 9000});
    const View seen = buffer->records().published().view();
    for (std::size_t i = 0; number % 5 == 0 && i + 1 < seen.segments->size(); ++i) {
      GrowingIndex index((*seen.segments)[i]);
      if (index.extend(buffer->records().storage(), seen.end_of(i)))
        (void)write_index(buffer->records().storage(), index.index());
    }
  }
}

TEST(CrashModel, an_index_that_a_crash_cut_changes_nothing_that_is_found) {
  const std::uint64_t first = number_from("RLTUNE_SEED", 1);
  std::uint64_t found = 0, indexes = 0;
  for (std::uint64_t seed = first; seed < first + 300; ++seed) {
    SimulatedDisk disk(seed);
    const ManualClock clock;
    for (int life = 0; life < 3; ++life) {
      disk.fail_with(0.02, 0.02);
      disk.crash_after(1 + disk.random().below(400));
      try {
        live_with_indexes(disk, clock);
      } catch (const SimulatedDisk::Crash&) {
        disk.restart();
      }
    }
    disk.restart();
    disk.fail_with(0.0, 0.0);
    Buffer buffer = *Buffer::open(disk.storage(), clock, {.free_bytes_min = 0});
    for (const std::string& name : disk.names()) indexes += name.starts_with("index-") ? 1 : 0;
    LogSearch search(buffer.records());
    const std::string wanted = std::format("c{}", disk.random().below(50));
    std::vector<std::uint64_t> expected, got;
    const auto all = buffer.records().read(1, std::size_t{1} << 30U);
    for (const StoredRecord& record : all->records)
      if (record.payload.contains("\"" + wanted + "\"")) expected.push_back(record.sequence);
    const auto page = search.find({.correlation_id = wanted, .limit = 1000, .newest_first = false});
    for (const StoredRecord& record : page->entries) got.push_back(record.sequence);
    ASSERT_EQ(got, expected) << "seed " << seed;
    found += got.size();
  }
  EXPECT_GT(found, 50U);
  EXPECT_GT(indexes, 50U);
}

}  // namespace
}  // namespace rltune::telemetry
