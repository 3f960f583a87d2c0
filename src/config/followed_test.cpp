#include "rltune/config/followed.hpp"

#include <gtest/gtest.h>

#include "example_kinds.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::config {
namespace {

class FollowedTest : public ::testing::Test {
 protected:
  // A file's time stamp may stand still for a few milliseconds: each write has one of its own.
  void write(const std::string& text) {
    ASSERT_TRUE(write_file(file_, text));
    std::filesystem::last_write_time(file_, std::filesystem::file_time_type::clock::now() + ++writes_ * kLater);
  }
  static constexpr auto kLater = std::chrono::seconds(10);
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "retention.yaml";
  int writes_ = 0;
};

TEST_F(FollowedTest, a_site_without_the_file_has_the_defaults) {
  Followed<Retention> followed(folder_.path());
  EXPECT_TRUE(followed.turn());
  EXPECT_FALSE(followed.turn());
  EXPECT_EQ(followed.value().decisions_days, Retention{}.decisions_days);
}

TEST_F(FollowedTest, a_change_is_seen_once) {
  Followed<Retention> followed(folder_.path());
  write(example_retention());
  EXPECT_TRUE(followed.turn());
  EXPECT_FALSE(followed.turn());
  write(replaced(example_retention(), "decisions_days: 1095", "decisions_days: 30"));
  EXPECT_TRUE(followed.turn());
  EXPECT_EQ(followed.value().decisions_days, 30.0);
  std::filesystem::remove(file_);
  EXPECT_TRUE(followed.turn());
  EXPECT_EQ(followed.value().decisions_days, Retention{}.decisions_days);
}

TEST_F(FollowedTest, a_store_asks_for_its_time) {
  const auto days = kept_for(folder_.path(), &Retention::decisions_days);
  EXPECT_EQ(days(), std::chrono::days(1095));
  write(replaced(example_retention(), "decisions_days: 1095", "decisions_days: 0.5"));
  EXPECT_EQ(days(), std::chrono::hours(12));
}

// What was to be kept for years is not thrown away because of a slip of the pen.
TEST_F(FollowedTest, a_broken_file_changes_nothing) {
  Followed<Retention> followed(folder_.path());
  write(replaced(example_retention(), "decisions_days: 1095", "decisions_days: 2000"));
  EXPECT_TRUE(followed.turn());
  write("decisions_days: [nonsense\n");
  EXPECT_FALSE(followed.turn());
  EXPECT_EQ(followed.value().decisions_days, 2000.0);
}

}  // namespace
}  // namespace rltune::config
