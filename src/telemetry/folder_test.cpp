// The same on the machine's own disk, with a process that is really killed.
#include <gtest/gtest.h>

#include <format>
#include <fstream>

#include "rltune/base/random.hpp"
#include "rltune/telemetry/buffer.hpp"
#include "temporary_folder.hpp"
#include "victim.hpp"

namespace rltune::telemetry {
namespace {

using namespace std::chrono_literals;

const WallClock kClock;

Result<Buffer> open(const std::filesystem::path& folder, BufferOptions options = {}) {
  auto storage = open_folder(folder);
  if (!storage) return std::unexpected(storage.error());
  return Buffer::open(std::move(*storage), kClock, std::move(options));
}
std::string text_of(std::uint64_t number) { return std::format("record {}", number); }

Result<SequenceRange> commit(Buffer& buffer, std::string_view text) { return buffer.commit({&text, 1}); }

TEST(Folder, belongs_to_one_process) {
  const TemporaryFolder folder;
  const auto first = open(folder.path() / "logs");
  ASSERT_TRUE(first);
  const auto second = open(folder.path() / "logs");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::denied);
}

TEST(Folder, a_kill_loses_nothing_that_was_acknowledged) {
  Random random(3);
  const TemporaryFolder folder;
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < 30; ++round) {
    historian::Victim victim([&](const historian::Victim::Report& report) {
      auto buffer = open(folder.path(), {.segment_bytes = 20'000});
      if (!buffer) ::_exit(3);
      while (true) {
        const auto done = commit(*buffer, text_of(buffer->acknowledged() + 1));
        if (!done) ::_exit(4);
        report(done->last);
      }
    });
    victim.kill_after(std::chrono::microseconds(random.below(30'000)));
    acknowledged = std::max(acknowledged, victim.last_report());
    auto buffer = open(folder.path());
    ASSERT_TRUE(buffer) << buffer.error().message;
    EXPECT_TRUE(buffer->recovery().lost.empty());
    ASSERT_GE(buffer->acknowledged(), acknowledged);
    const auto batch = buffer->records().read(1, std::size_t{1} << 30U);
    ASSERT_TRUE(batch);
    ASSERT_EQ(batch->records.size(), buffer->acknowledged());
    for (const StoredRecord& record : batch->records) ASSERT_EQ(record.payload, text_of(record.sequence));
  }
  EXPECT_GT(acknowledged, 10U);
}

TEST(Folder, retention_lets_the_oldest_segments_go_and_says_so) {
  const TemporaryFolder folder;
  auto buffer = open(folder.path(), {.segment_bytes = 1000});
  ASSERT_TRUE(buffer);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(commit(*buffer, std::string(100, 'x')));
  ASSERT_GT(buffer->bytes(), 10'000U);
  const auto removed = buffer->retain({.bytes_max = 5000});
  ASSERT_TRUE(removed && *removed);
  EXPECT_EQ((*removed)->all.first, 1U);
  EXPECT_EQ(buffer->floor(), (*removed)->all.last + 1);
  EXPECT_LE(buffer->bytes(), 5000U);
  const auto batch = buffer->records().read(1, 1 << 20U);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->records.front().sequence, buffer->floor());
  EXPECT_TRUE(batch->lost.empty()) << "what retention took is not lost";
  EXPECT_EQ(batch->records.back().sequence, 100U);
  EXPECT_FALSE(*buffer->retain({.bytes_max = 5000})) << "nothing has to go";
}

TEST(Folder, a_disk_that_is_nearly_full_takes_nothing_and_says_so) {
  const TemporaryFolder folder;
  auto buffer = open(folder.path(), {.free_bytes_min = std::uint64_t{1} << 60U});
  ASSERT_TRUE(buffer);
  const auto done = commit(*buffer, "a record");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::no_space);
  EXPECT_EQ(buffer->acknowledged(), 0U);
}

TEST(Folder, a_record_that_is_too_long_is_refused_and_nothing_of_its_batch_is_kept) {
  const TemporaryFolder folder;
  auto buffer = open(folder.path());
  ASSERT_TRUE(buffer);
  const std::string longest(std::size_t{1} << 20U, 'x'), longer = longest + "x";
  const std::array<std::string_view, 2> both{"first", longer};
  const auto refused = buffer->commit(both);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  ASSERT_TRUE(commit(*buffer, longest));
  const auto batch = buffer->records().read(1, 1);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->records.at(0).payload, longest);
}

}  // namespace
}  // namespace rltune::telemetry
