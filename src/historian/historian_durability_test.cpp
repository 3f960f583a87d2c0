// What happens to samples when the process is killed, the disk is full or a reader never lets go.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "rltune/base/random.hpp"
#include "rltune/historian/historian.hpp"
#include "rltune/sqlite/sqlite.hpp"
#include "scratch_folder.hpp"
#include "victim.hpp"
#include "wal_bytes.hpp"

namespace rltune::historian {
namespace {

using namespace std::chrono_literals;

const TimePoint kOpened = parse_rfc3339("2026-01-02T00:00:00Z").value();
const std::vector<std::string> kPair{"a", "b"};

Sample numbered(std::uint64_t number) {
  const TimePoint time = kOpened + 1ms * static_cast<std::int64_t>(number);
  return {.tag = 0,
          .value = static_cast<double>(number),
          .source_time = time,
          .received_time = time,
          .quality = Quality::good};
}

std::vector<Sample> read_all(const Historian& historian) {
  auto read = historian.samples("a", TimePoint::min(), TimePoint::max(), 10'000'000);
  EXPECT_TRUE(read) << read.error().message;
  return read ? std::move(*read) : std::vector<Sample>{};
}

std::uint64_t rolled_up_samples(const Historian& historian) {
  const auto hours = historian.rollups("a", Resolution::hour, TimePoint::min(), TimePoint::max(), 10'000);
  EXPECT_TRUE(hours) << hours.error().message;
  std::uint64_t count = 0;
  if (hours)
    for (const Rollup& hour : *hours) count += hour.count;
  return count;
}

TEST(HistorianDurability, kill_loses_nothing_that_was_flushed) {
  Random random(9);
  std::uint64_t flushed_in_all = 0;
  for (int round = 0; round < 15; ++round) {
    const ScratchFolder scratch;
    Victim victim([&](const Victim::Report& report) {
      Options options{
          .folder = scratch.path(), .batch_wait = 1ms, .maintain_every = 5ms};  // killed in maintenance as well
      auto historian = Historian::open(options, kPair);
      Random sizes(1);
      std::uint64_t number = 0;
      while (true) {
        for (std::uint64_t count = 1 + sizes.below(300); count > 0; --count) {
          const Sample sample = numbered(++number);
          historian->append({&sample, 1});
        }
        if (!historian->flush()) ::_exit(4);
        report(number);
      }
    });
    victim.kill_after(std::chrono::microseconds(10'000 + random.below(120'000)));
    const std::uint64_t acknowledged = victim.last_report();
    flushed_in_all += acknowledged;
    auto historian = Historian::open({.folder = scratch.path()}, kPair);
    ASSERT_TRUE(historian) << historian.error().message;
    EXPECT_TRUE(historian->status().trouble.empty()) << historian->status().trouble;
    const auto samples = read_all(*historian);
    ASSERT_GE(samples.size(), acknowledged);
    for (std::size_t i = 0; i < samples.size(); ++i) ASSERT_EQ(samples[i].value, static_cast<double>(i + 1));
    // Rollups follow from what is there, whatever was cut off.
    ASSERT_TRUE(historian->maintain(kOpened + 1h));
    const std::uint64_t rolled_up = rolled_up_samples(*historian);
    ASSERT_EQ(rolled_up, samples.size());
  }
  EXPECT_GT(flushed_in_all, 0U);
}

TEST(HistorianDurability, reader_that_never_lets_go_does_not_let_the_log_grow) {
  const ScratchFolder scratch;
  Options options{.folder = scratch.path()};
  options.wal_bytes_max = 512U << 10U;
  auto historian = Historian::open(options, kPair);
  ASSERT_TRUE(historian);
  const Sample first = numbered(0);
  historian->append({&first, 1});
  ASSERT_TRUE(historian->maintain(kOpened));
  const auto raw = sqlite::open_reader(scratch.path() / "raw-00000001.db"),
             rollups = sqlite::open_reader(scratch.path() / "rollups.db");
  for (const auto& [database, query] :
       {std::pair{raw.get(), "SELECT count(*) FROM sample"}, std::pair{rollups.get(), "SELECT count(*) FROM rollup"}}) {
    database->exec("BEGIN");
    database->execAndGet(query);  // pins this state
  }
  std::uint64_t largest = 0, number = 0;
  bool waited = false;
  for (int i = 0; i < 150; ++i) {
    std::vector<Sample> samples;
    for (int k = 0; k < 500; ++k) {
      samples.push_back(numbered(++number));
      samples.back().source_time = samples.back().received_time = kOpened + 20s * static_cast<std::int64_t>(number);
    }
    historian->append(samples);
    ASSERT_TRUE(historian->flush());
    waited |= !historian->maintain(kOpened + 20s * static_cast<std::int64_t>(number));
    largest = std::max(largest, all_wal_bytes(scratch.path()));
  }
  // The pinned raw file's, the pinned rollups' and the current file's, each at its bound and one transaction more.
  EXPECT_LT(largest, 6 * options.wal_bytes_max);
  EXPECT_TRUE(waited) << "the rollups' log reached its bound";
  EXPECT_NE(historian->status().trouble.find("rollups and retention wait"), std::string::npos);
  EXPECT_EQ(read_all(*historian).size(), 75'001U);
  rollups->exec("COMMIT");
  raw->exec("COMMIT");
  ASSERT_TRUE(historian->maintain(kOpened + 20s * static_cast<std::int64_t>(number)));
  EXPECT_TRUE(historian->status().trouble.empty());
  const std::uint64_t rolled_up = rolled_up_samples(*historian);
  EXPECT_EQ(rolled_up, 75'001U);
}

TEST(HistorianDurability, readers_at_work_do_not_let_the_log_grow) {
  const ScratchFolder scratch;
  Options options{.folder = scratch.path()};
  options.wal_bytes_max = 512U << 10U;
  auto historian = Historian::open(options, kPair);
  ASSERT_TRUE(historian);
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    while (!stop)
      if (!historian->samples("a", TimePoint::min(), TimePoint::max(), 5000)) std::abort();
  });
  std::uint64_t largest = 0, number = 0;
  for (int i = 0; i < 60; ++i) {
    for (int k = 0; k < 1000; ++k) {
      const Sample sample = numbered(++number);
      historian->append({&sample, 1});
    }
    EXPECT_TRUE(historian->flush());
    largest = std::max(largest, all_wal_bytes(scratch.path()));
  }
  stop = true;
  reader.join();
  EXPECT_LT(largest, 4 * options.wal_bytes_max);
  EXPECT_EQ(read_all(*historian).size(), number);
}

// Appends and flushes until the disk refuses; then `make_room`, and everything must be stored. 0 when it went so.
int fill_the_disk(const std::filesystem::path& folder, const std::function<void()>& make_room,
                  const Victim::Report& report) {
  auto historian = Historian::open({.folder = folder, .batch_wait = 1ms, .maintain_every = 20ms}, kPair);
  if (!historian) return 2;
  std::uint64_t number = 0, acknowledged = 0;
  bool refused = false;
  for (int i = 0; i < 500 && !refused; ++i) {
    for (int k = 0; k < 500; ++k) {
      const Sample sample = numbered(++number);
      historian->append({&sample, 1});
    }
    const auto flushed = historian->flush();
    if (flushed)
      acknowledged = number;
    else if (flushed.error().code != Errc::no_space)
      return 3;
    else
      refused = true;
  }
  if (!refused || acknowledged == 0) return 4;
  if (!historian->status().trouble.starts_with("disk full since")) return 5;
  if (historian->status().circuit.state == Breaker::State::closed) return 10;
  if (historian->status().samples_waiting == 0 || historian->status().samples_dropped != 0) return 6;
  if (read_all(*historian).size() < acknowledged) return 7;  // what was acknowledged can still be read
  make_room();
  if (!historian->flush()) return 8;
  if (historian->status().trouble.starts_with("disk full")) return 9;
  if (historian->status().circuit.state != Breaker::State::closed) return 11;
  report(number);
  return 0;
}

TEST(HistorianDurability, file_size_limit_is_reported_and_survived) {
  const ScratchFolder scratch;
  Victim child([&](const Victim::Report& report) {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const rlimit small{700U << 10U, limit.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    ::_exit(fill_the_disk(scratch.path(), [&] { ::setrlimit(RLIMIT_FSIZE, &limit); }, report));
  });
  ASSERT_EQ(child.join(), 0);
  auto historian = Historian::open({.folder = scratch.path()}, kPair);
  ASSERT_TRUE(historian);
  EXPECT_EQ(read_all(*historian).size(), child.last_report());
}

TEST(HistorianDurability, full_file_system_is_reported_and_survived) {
  const ScratchFolder scratch;
  if (::mount("rltune", scratch.path().c_str(), "tmpfs", 0, "size=2m") != 0)
    GTEST_SKIP() << "mounting a small file system is not permitted here";
  Victim child([&](const Victim::Report& report) {
    const auto make_room = [&] { ::mount("rltune", scratch.path().c_str(), "tmpfs", MS_REMOUNT, "size=64m"); };
    ::_exit(fill_the_disk(scratch.path(), make_room, report));
  });
  EXPECT_EQ(child.join(), 0);
  {
    auto historian = Historian::open({.folder = scratch.path()}, kPair);
    ASSERT_TRUE(historian);
    EXPECT_EQ(read_all(*historian).size(), child.last_report());
  }
  ::umount2(scratch.path().c_str(), MNT_DETACH);
}

}  // namespace
}  // namespace rltune::historian
