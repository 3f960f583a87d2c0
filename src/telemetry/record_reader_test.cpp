#include "rltune/telemetry/record_reader.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <format>
#include <functional>
#include <thread>

#include "manual_clock.hpp"
#include "rltune/telemetry/buffer.hpp"
#include "simulated_disk.hpp"
#include "temporary_folder.hpp"

namespace rltune::telemetry {
namespace {

const WallClock kTestClock;

std::string text_of(std::uint64_t number) { return std::format("record {} {}", number, std::string(60, 'x')); }

Buffer open(const std::filesystem::path& folder, std::uint64_t segment_bytes = 4000) {
  return *Buffer::open(*open_folder(folder), kTestClock, {.segment_bytes = segment_bytes, .free_bytes_min = 0});
}
void commit(Buffer& buffer, int records) {
  for (int i = 0; i < records; ++i) {
    const std::string text = text_of(buffer.acknowledged() + 1);
    const std::string_view view = text;
    ASSERT_TRUE(buffer.commit({&view, 1}));
  }
}
// Reads on until `last`. What is there says what was written, and nothing is said to be lost.
void follow(RecordReader& reader, std::uint64_t last, std::atomic<std::uint64_t>& read) {
  std::uint64_t from = 1;
  while (from <= last) {
    const auto batch = reader.read(from, 700);
    ASSERT_TRUE(batch) << batch.error().message;
    ASSERT_TRUE(batch->lost.empty()) << batch->lost[0].first << " to " << batch->lost[0].last;
    ASSERT_GE(batch->next, from);
    for (const StoredRecord& record : batch->records) {
      ASSERT_GE(record.sequence, from);
      ASSERT_EQ(record.payload, text_of(record.sequence));
      from = record.sequence + 1;
      ++read;
    }
    ASSERT_EQ(from > batch->next, false);
    from = batch->next;
    if (batch->records.empty()) std::this_thread::yield();
  }
}

TEST(RecordReader, many_read_beside_the_writer_and_retention_and_nothing_is_called_lost) {
  constexpr std::uint64_t kRecords = 5'000;
  const TemporaryFolder folder;
  Buffer buffer = open(folder.path());
  commit(buffer, 1);
  const auto elsewhere = open_to_read(folder.path());
  ASSERT_TRUE(elsewhere);
  std::array<std::atomic<std::uint64_t>, 3> read{};
  {
    std::vector<std::jthread> readers;
    for (std::size_t i = 0; i < 2; ++i)
      readers.emplace_back([&, i] { follow(buffer.records(), kRecords, read.at(i)); });
    readers.emplace_back([&] { follow(**elsewhere, kRecords, read[2]); });
    for (std::uint64_t i = 1; i < kRecords; ++i) {
      commit(buffer, 1);
      if (i % 50 != 0) continue;
      ASSERT_TRUE(buffer.retain({.bytes_max = 20'000}));
    }
  }
  EXPECT_GT(buffer.floor(), kRecords / 2);
  for (const auto& count : read) EXPECT_GT(count, 0U);
  EXPECT_EQ(buffer.records().lost(), 0U);
}

// Counts what is read of its files, and tells before one is opened.
class Watched final : public Storage {
 public:
  Watched(std::unique_ptr<Storage> storage, std::uint64_t& bytes,
          std::function<void(const std::string&)> before_open = {})
      : storage_(std::move(storage)), bytes_(bytes), before_open_(std::move(before_open)) {}
  Result<std::unique_ptr<StoredFile>> create(const std::string& name) override { return storage_->create(name); }
  Result<std::unique_ptr<StoredFile>> open(const std::string& name) override {
    if (before_open_) before_open_(name);
    auto file = storage_->open(name);
    if (!file) return file;
    return std::make_unique<File>(std::move(*file), bytes_);
  }
  Result<> remove(const std::string& name) override { return storage_->remove(name); }
  Result<std::vector<std::string>> list() override { return storage_->list(); }
  Result<> sync() override { return storage_->sync(); }
  std::uint64_t free_bytes() override { return storage_->free_bytes(); }

 private:
  class File final : public StoredFile {
   public:
    File(std::unique_ptr<StoredFile> file, std::uint64_t& bytes) : file_(std::move(file)), bytes_(bytes) {}
    Result<> write(std::uint64_t offset, std::string_view bytes) override { return file_->write(offset, bytes); }
    Result<> sync() override { return file_->sync(); }
    Result<std::size_t> read(std::uint64_t offset, std::span<char> into) override {
      auto got = file_->read(offset, into);
      bytes_ += got.value_or(0);
      return got;
    }
    Result<std::uint64_t> size() override { return file_->size(); }

   private:
    std::unique_ptr<StoredFile> file_;
    std::uint64_t& bytes_;
  };
  std::unique_ptr<Storage> storage_;
  std::uint64_t& bytes_;
  std::function<void(const std::string&)> before_open_;
};

TEST(RecordReader, a_segment_that_retention_removes_before_it_is_opened_is_below_the_floor_and_not_lost) {
  SimulatedDisk disk(1);
  ManualClock clock;
  std::uint64_t bytes_read = 0;
  std::function<void()> before_first;
  auto storage = std::make_unique<Watched>(disk.storage(), bytes_read, [&](const std::string& name) {
    if (name == "segment-00000001" && before_first) std::exchange(before_first, {})();
  });
  Buffer buffer = *Buffer::open(std::move(storage), clock, {.segment_bytes = 500, .free_bytes_min = 0});
  commit(buffer, 20);
  before_first = [&] { ASSERT_TRUE(buffer.retain({.bytes_max = 1000})); };
  const auto batch = buffer.records().read(1, 1U << 20U);
  ASSERT_TRUE(batch);
  EXPECT_GT(buffer.floor(), 1U);
  EXPECT_TRUE(batch->lost.empty());
  ASSERT_FALSE(batch->records.empty());
  EXPECT_EQ(batch->records.front().sequence, buffer.floor());
  EXPECT_EQ(batch->next, 21U);
}

TEST(RecordReader, several_that_read_on_do_not_begin_at_the_segments_beginning) {
  SimulatedDisk disk(1);
  ManualClock clock;
  std::uint64_t bytes_read = 0;
  Buffer buffer = *Buffer::open(std::make_unique<Watched>(disk.storage(), bytes_read), clock,
                                {.segment_bytes = 2U << 20U, .free_bytes_min = 0});
  const std::string text(1000, 'x');
  const std::vector<std::string_view> many(1000, text);
  ASSERT_TRUE(buffer.commit(many));
  bytes_read = 0;
  // Two of them, a hundred records apart, each of them 100 kB at a time.
  std::uint64_t ahead = buffer.records().read(1, 100'000)->next, behind = 1;
  for (int i = 0; i < 9; ++i) {
    ahead = buffer.records().read(ahead, 100'000)->next;
    behind = buffer.records().read(behind, 100'000)->next;
  }
  EXPECT_EQ(ahead, 1001U);
  EXPECT_EQ(behind, 901U);
  EXPECT_LT(bytes_read, 4'000'000U) << "twice a megabyte, and what each read reads ahead";
}

TEST(RecordReader, a_file_that_somebody_removed_is_lost_and_counted_once) {
  const TemporaryFolder folder;
  Buffer buffer = open(folder.path(), 1000);
  commit(buffer, 50);
  std::filesystem::remove(folder.path() / "segment-00000002");
  for (int i = 0; i < 2; ++i) {
    std::uint64_t records = 0, lost = 0;
    for (std::uint64_t from = 1; from <= 50;) {
      const auto batch = buffer.records().read(from, 500);
      ASSERT_TRUE(batch);
      records += batch->records.size();
      for (const SequenceRange& range : batch->lost) lost += range.count();
      from = batch->next;
    }
    EXPECT_GT(lost, 0U);
    EXPECT_EQ(records + lost, 50U);
    EXPECT_EQ(buffer.records().lost(), lost);
  }
}

TEST(RecordReader, who_only_reads_changes_nothing_and_sees_what_comes_later) {
  const TemporaryFolder folder;
  EXPECT_EQ(open_to_read(folder.path() / "none").error().code, Errc::not_found);
  Buffer buffer = open(folder.path());
  commit(buffer, 3);
  const auto names = [&] {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) found.push_back(entry.path().string());
    std::ranges::sort(found);
    return found;
  };
  const auto before = names();
  const auto reader = open_to_read(folder.path());
  ASSERT_TRUE(reader);
  EXPECT_EQ((*reader)->read(1, 1U << 20U)->records.size(), 3U);
  EXPECT_EQ(names(), before);
  commit(buffer, 2);
  EXPECT_EQ((*reader)->read(4, 1U << 20U)->records.size(), 2U);
  EXPECT_TRUE((*reader)->read(6, 1U << 20U)->records.empty());
}

// A record that is damaged stands before one that was written and not acknowledged.
TEST(RecordReader, what_is_acknowledged_later_is_found_behind_a_damaged_record) {
  SimulatedDisk disk(1);
  ManualClock clock;
  Buffer buffer = *Buffer::open(disk.storage(), clock, {.free_bytes_min = 0});
  commit(buffer, 2);
  const std::string whole = disk.bytes_of("segment-00000001");
  disk.bytes_of("segment-00000001").back() ^= 1;
  disk.bytes_of("segment-00000001") += "what is being written";
  auto batch = buffer.records().read(1, 1U << 20U);
  EXPECT_EQ(batch->records.size(), 1U);
  EXPECT_EQ(batch->lost, (std::vector<SequenceRange>{{2, 2}}));
  disk.bytes_of("segment-00000001").resize(whole.size());
  commit(buffer, 1);
  batch = buffer.records().read(batch->next, 1U << 20U);
  ASSERT_EQ(batch->records.size(), 1U);
  EXPECT_EQ(batch->records[0].sequence, 3U);
  EXPECT_TRUE(batch->lost.empty());
}

}  // namespace
}  // namespace rltune::telemetry
