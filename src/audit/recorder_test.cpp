#include "rltune/audit/recorder.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "manual_clock.hpp"
#include "rltune/audit/log.hpp"
#include "rltune/audit/verify.hpp"
#include "scratch_folder.hpp"
#include "time_limit.hpp"

namespace rltune::audit {
namespace {

using namespace std::chrono_literals;

std::vector<Line> lines_of(const std::filesystem::path& folder) {
  std::vector<Line> lines;
  EXPECT_TRUE(read_lines(folder, [&](const std::string&, const Line& line) {
    lines.push_back(line);
    return true;
  }));
  return lines;
}

TEST(Recorder, writes_in_order_what_threads_post_and_signs_at_its_end) {
  const historian::ScratchFolder scratch;
  {
    Recorder recorder({.folder = scratch.path(), .role = "io", .head_lines = 100});
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread)
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 200; ++i)
          recorder.post({.action = "test", .target = std::to_string(thread), .reason = std::to_string(i)});
      });
    threads.clear();
    ASSERT_TRUE(recorder.flush());
    EXPECT_EQ(recorder.status().written, 800U);
  }
  const auto lines = lines_of(scratch.path());
  ASSERT_EQ(lines.size(), 800U);
  std::array<int, 4> next{};
  for (const Line& line : lines) {
    EXPECT_EQ(line.entry.actor, "io");
    EXPECT_EQ(std::stoi(line.entry.reason), next.at(static_cast<std::size_t>(std::stoi(line.entry.target)))++);
  }
  const auto reports = verify(scratch.path(), {}, "");
  ASSERT_TRUE(reports);
  EXPECT_TRUE((*reports)[0].faults.empty());
  EXPECT_EQ((*reports)[0].last_signed, 800U);
}

TEST(Recorder, never_waits_and_counts_what_a_full_queue_does_not_take) {
  const historian::ScratchFolder scratch;
  const WallClock clock;
  std::optional<Log> other = *Log::open(scratch.path(), "io", clock);  // the disk does not take it: another writes
  Recorder recorder({.folder = scratch.path(), .role = "io", .queue_max = 10, .retry_wait = 10ms});
  const auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) recorder.post({.action = "test"});
  EXPECT_LT(std::chrono::steady_clock::now() - before, time_limit(100ms));
  EXPECT_GT(recorder.status().lost, 0U);
  other.reset();
  ASSERT_TRUE(recorder.flush());
  recorder.post({.action = "test"});
  ASSERT_TRUE(recorder.flush());
  std::uint64_t lost = 0;
  for (const Line& line : lines_of(scratch.path()))
    if (line.entry.action == "entries.lost") lost += std::stoull(line.entry.details[0].second);
  EXPECT_EQ(lost, recorder.status().lost);
}

TEST(Recorder, old_days_go_as_it_is_told_while_it_runs) {
  const historian::ScratchFolder scratch;
  for (const char* day : {"2020-01-02T12:00:00Z", "2020-01-03T12:00:00Z"}) {
    ManualClock then(parse_rfc3339(day).value());
    ASSERT_TRUE(Log::open(scratch.path(), "io", then)->append({.actor = "mia", .action = "setpoint.write"}));
  }
  std::atomic<int> days = 36'000;
  Recorder recorder({.folder = scratch.path(),
                     .role = "io",
                     .keeping = {.age = [&] { return Duration(std::chrono::days(days.load())); }, .every = 5ms}});
  recorder.post({.action = "role.start"});
  ASSERT_TRUE(recorder.flush());
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(recorder.status().removed, 0U);
  days = 400;
  for (int i = 0; i < 1000 && recorder.status().removed == 0; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(recorder.status().removed, 2U);
  ASSERT_TRUE(recorder.flush());
  EXPECT_TRUE(verify(scratch.path(), {}, "")->at(0).faults.empty());
}

TEST(Recorder, heads_are_signed_in_time) {
  const historian::ScratchFolder scratch;
  Recorder recorder({.folder = scratch.path(), .role = "io", .head_every = 50ms});
  for (int i = 0; i < 3; ++i) recorder.post({.action = "test"});
  ASSERT_TRUE(recorder.flush());
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (std::chrono::steady_clock::now() < until) {
    const auto reports = verify(scratch.path(), {}, "");
    if (reports && !reports->empty() && (*reports)[0].last_signed == 3) return;
    std::this_thread::sleep_for(20ms);
  }
  FAIL() << "no head";
}

}  // namespace
}  // namespace rltune::audit
