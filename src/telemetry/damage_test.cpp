// A disk that changes or cuts what was written long ago: the buffer opens, and loses the damaged record alone, exactly.
#include <gtest/gtest.h>

#include <algorithm>
#include <format>

#include "frame.hpp"
#include "manual_clock.hpp"
#include "rltune/telemetry/buffer.hpp"
#include "simulated_disk.hpp"

namespace rltune::telemetry {
namespace {

constexpr std::size_t kRecords = 12;

class Damage : public ::testing::Test {
 protected:
  Damage() { begin(); }
  // The same bytes every time.
  void begin() {
    disk_.emplace(1);
    random_ = Random(7);
    Buffer buffer = *open();
    for (std::size_t i = 1; i <= kRecords; ++i) {
      const std::string text = text_of(i);
      const std::string_view view = text;
      EXPECT_TRUE(buffer.commit({&view, 1}));
    }
    disk_->make_durable();
  }
  Result<Buffer> open() {
    return Buffer::open(disk_->storage(), clock_,
                        {.segment_bytes = 500, .free_bytes_min = 0, .salt = [this] { return random_.bits(); }});
  }
  static std::string text_of(std::size_t number) {
    return std::format("record {} {}", number, std::string(number, 'x'));
  }

  // What a reader gets of all of it, and what it is told to be lost.
  struct Seen {
    std::vector<std::uint64_t> records, lost;
    bool is_true = true;  // every record says what was written under its number
  };
  Seen read(Buffer& buffer) {
    Seen seen;
    std::uint64_t from = 1;
    while (true) {
      const auto batch = buffer.records().read(from, 30);
      EXPECT_TRUE(batch);
      if (batch->records.empty() && batch->lost.empty()) return seen;
      for (const StoredRecord& record : batch->records) {
        seen.records.push_back(record.sequence);
        seen.is_true = seen.is_true && record.payload == text_of(record.sequence);
      }
      for (const SequenceRange& range : batch->lost)
        for (std::uint64_t number = range.first; number <= range.last; ++number) seen.lost.push_back(number);
      from = batch->next;
    }
  }
  // Nothing untrue, and what is not there is said to be lost.
  void expect_exact(Buffer& buffer, std::size_t lost_max) {
    const Seen seen = read(buffer);
    EXPECT_TRUE(seen.is_true);
    std::vector<std::uint64_t> all = seen.records;
    all.insert(all.end(), seen.lost.begin(), seen.lost.end());
    std::ranges::sort(all);
    std::vector<std::uint64_t> expected(kRecords);
    std::ranges::iota(expected, 1);
    EXPECT_EQ(all, expected);
    EXPECT_LE(seen.lost.size(), lost_max);
  }
  // It takes records as before.
  void expect_goes_on(Buffer& buffer) {
    const std::string_view text = "one more";
    const auto done = buffer.commit({&text, 1});
    ASSERT_TRUE(done);
    EXPECT_EQ(done->first, kRecords + 1);
    EXPECT_EQ(buffer.records().read(done->first, 1)->records.at(0).payload, text);
  }
  std::vector<std::string> segments() {
    auto names = disk_->names();
    std::erase_if(names, [](const std::string& name) { return !name.starts_with("segment-"); });
    return names;
  }

  std::optional<SimulatedDisk> disk_;
  ManualClock clock_;
  Random random_{7};
};

TEST_F(Damage, a_changed_byte_costs_at_most_its_record) {
  ASSERT_GE(segments().size(), 2U);
  for (const std::string& name : segments()) {
    const std::string whole = disk_->bytes_of(name);
    for (std::size_t at = 0; at < whole.size(); ++at)
      for (const unsigned flipped : {0x01U, 0x80U, 0xFFU}) {
        SCOPED_TRACE(std::format("{} byte {} of {} ^ {:#x}", name, at, whole.size(), flipped));
        disk_->bytes_of(name)[at] = static_cast<char>(static_cast<unsigned char>(whole[at]) ^ flipped);
        auto buffer = open();
        ASSERT_TRUE(buffer);
        expect_exact(*buffer, at < kFramesAt ? 0 : 1);
        disk_->bytes_of(name) = whole;
        if (HasFailure()) return;
      }
  }
}

TEST_F(Damage, bytes_cut_out_cost_the_record_they_went_through) {
  for (const std::string& name : segments()) {
    const std::string whole = disk_->bytes_of(name);
    for (std::size_t at = 0; at < whole.size(); ++at) {
      SCOPED_TRACE(std::format("{} without byte {} of {}", name, at, whole.size()));
      disk_->bytes_of(name) = whole.substr(0, at) + whole.substr(at + 1);
      auto buffer = open();
      ASSERT_TRUE(buffer);
      expect_exact(*buffer, 1);
      disk_->bytes_of(name) = whole;
      if (HasFailure()) return;
    }
  }
}

TEST_F(Damage, an_end_cut_off_costs_what_was_in_it_and_is_counted) {
  const std::string last = segments().back();
  const std::string whole = disk_->bytes_of(last);
  for (std::size_t kept = 0; kept < whole.size(); ++kept) {
    SCOPED_TRACE(std::format("{} of {} bytes", kept, whole.size()));
    begin();
    disk_->bytes_of(last) = whole.substr(0, kept);
    auto buffer = open();
    ASSERT_TRUE(buffer);
    std::uint64_t said = 0;
    for (const SequenceRange& range : buffer->recovery().lost) said += range.count();
    const Seen seen = read(*buffer);
    EXPECT_EQ(said, seen.lost.size());
    expect_exact(*buffer, kRecords);
    expect_goes_on(*buffer);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace rltune::telemetry
