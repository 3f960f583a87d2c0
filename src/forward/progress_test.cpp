#include "progress.hpp"

#include <gtest/gtest.h>

#include "memory_source.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::forward {
namespace {

class ProgressTest : public ::testing::Test {
 protected:
  Progress open(const std::string& buffer = kBuffer) {
    auto progress = Progress::open(folder_.path() / "p", buffer);
    EXPECT_TRUE(progress) << progress.error().message;
    return std::move(*progress);
  }
  std::string bytes() const { return read_file(folder_.path() / "p" / "progress").value(); }
  void put(const std::string& bytes) const { ASSERT_TRUE(write_file(folder_.path() / "p" / "progress", bytes)); }
  TemporaryFolder folder_;
};

TEST_F(ProgressTest, it_is_where_it_was_after_a_restart) {
  const Place place{.delivered = 16, .under_way = telemetry::SequenceRange{17, 40}};
  {
    ASSERT_TRUE(open().move_to(place));
  }
  EXPECT_EQ(open().place(), place);
  {
    ASSERT_TRUE(open().move_to({.delivered = 40}));
  }
  const Progress progress = open();
  EXPECT_EQ(progress.place(), Place{.delivered = 40});
  EXPECT_FALSE(progress.begins_anew());
}

// Whatever a crash leaves of the slot that is being written, the other one holds.
TEST_F(ProgressTest, a_slot_cut_or_changed_at_any_byte_leaves_the_one_before) {
  std::uint64_t first_count = 0;
  {
    Progress progress = open();
    ASSERT_TRUE(progress.move_to({.delivered = 1}));
    ASSERT_TRUE(progress.move_to({.delivered = 2}));
    first_count = parse_slot(std::string_view(bytes()).substr(0, Progress::kSlotBytes))->place.delivered;
  }
  const std::string whole = bytes();
  const std::size_t newer = first_count == 2 ? 0 : Progress::kSlotApart;
  for (std::size_t i = 0; i < Progress::kSlotBytes; ++i) {
    std::string torn = whole;
    torn[newer + i] ^= 0x40;
    put(torn);
    ASSERT_EQ(open().place(), Place{.delivered = 1}) << i;
  }
}

TEST_F(ProgressTest, of_another_buffer_or_of_damage_it_begins_anew) {
  {
    ASSERT_TRUE(open().move_to({.delivered = 9}));
  }
  const std::string whole = bytes();
  {
    const Progress other = open("0198e0f2-2222-7abc-8def-0123456789ab");
    EXPECT_EQ(other.place(), Place{});
    EXPECT_TRUE(other.begins_anew());
  }
  put(std::string(whole.size(), 'x'));
  EXPECT_EQ(open().place(), Place{});
  put(whole);
  EXPECT_EQ(open().place(), Place{.delivered = 9});
}

TEST_F(ProgressTest, one_process_has_it) {
  const Progress progress = open();
  EXPECT_EQ(Progress::open(folder_.path() / "p", kBuffer).error().code, Errc::denied);
}

}  // namespace
}  // namespace rltune::forward
