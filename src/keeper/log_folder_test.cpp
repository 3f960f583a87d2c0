#include "log_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "line_log.hpp"
#include "manual_clock.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::keeper {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LogFolderTest : public testing::Test {
 protected:
  // A file whose last line is `age` old.
  void write(const std::string& name, Duration age, std::size_t bytes) const {
    ASSERT_TRUE(write_file(folder_.path() / name, std::string(bytes, 'x')));
    std::filesystem::last_write_time(folder_.path() / name,
                                     std::chrono::time_point_cast<std::filesystem::file_time_type::duration>(
                                         std::chrono::file_clock::from_sys(clock_.now() - age)));
  }
  std::vector<std::string> turn() {
    clock_.advance(1min);
    logs_.turn({"io"});
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
  }
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) sum += entry.file_size();
    return sum;
  }

  TemporaryFolder folder_;
  ManualClock clock_{parse_rfc3339("2026-11-21T12:00:00Z").value()};
  std::vector<std::string> said_;
  // Free is what the test says, and what the logs gave back since.
  std::uint64_t others_leave_ = 100'000'000'000, capacity_ = 200'000'000'000;
  LogFolder logs_{
      folder_.path(), clock_,
      [this](std::string_view level, const std::string& text) { said_.push_back(std::string(level) + ": " + text); },
      [this](const auto&) {
        const std::uint64_t free = others_leave_ - bytes();
        return std::filesystem::space_info{capacity_, free, free};
      }};
};

TEST_F(LogFolderTest, what_is_older_goes_and_what_is_written_or_no_log_stays) {
  logs_.set({.age = std::chrono::days(30)});
  write("io.log.20261020T000000Z", 32 * 24h, 10);
  write("io.log.20261025T000000Z", 27 * 24h, 10);
  write("io.log", 40 * 24h, 10);  // open, and silent
  write("agent.gone.log", 40 * 24h, 10);
  write("agent.here.log", 2h, 10);
  write("notes.txt", 400 * 24h, 10);
  write("io.log.1", 31 * 24h, 10);  // as versions before this one named them
  EXPECT_THAT(turn(), ElementsAre("agent.here.log", "io.log", "io.log.20261025T000000Z", "notes.txt"));
  EXPECT_THAT(said_, ElementsAre("INFO: retention removed 3 files of old logs, 0.0 MB: older than 30 days"));
  EXPECT_EQ(logs_.figures().removed_files, 3U);
  EXPECT_EQ(logs_.figures().removed_bytes, 30U);
}

TEST_F(LogFolderTest, all_together_stay_below_their_size) {
  logs_.set({.bytes_max = 2'500'000});
  for (int day = 1; day <= 5; ++day) write("io.log.2026110" + std::to_string(day) + "T0", (21 - day) * 24h, 1'000'000);
  EXPECT_THAT(turn(), ElementsAre("io.log.20261104T0", "io.log.20261105T0"));
  EXPECT_THAT(said_, ElementsAre(HasSubstr("3 files of old logs, 3.0 MB: all together more than 2.5 MB")));
  logs_.set({.bytes_max = 1'500'000});
  logs_.turn({"io"});
  EXPECT_EQ(logs_.figures().bytes, 1'000'000U) << "another limit holds at once";
}

TEST_F(LogFolderTest, a_disk_that_fills_alarms_first_and_then_takes_the_oldest) {
  logs_.set({.free_bytes_min = 2'000'000'000});
  for (int day = 1; day <= 3; ++day) write("io.log.2026110" + std::to_string(day) + "T0", (21 - day) * 24h, 1'000'000);
  EXPECT_EQ(turn().size(), 3U);
  EXPECT_THAT(said_, IsEmpty());
  others_leave_ = 2'900'000'000;
  EXPECT_EQ(turn().size(), 3U);
  EXPECT_EQ(turn().size(), 3U);
  EXPECT_THAT(said_, ElementsAre(HasSubstr("WARNING: the disk of"))) << "once";
  others_leave_ = 2'001'500'000;
  EXPECT_THAT(turn(), ElementsAre("io.log.20261103T0"));
  ASSERT_EQ(said_.size(), 3U);
  EXPECT_THAT(said_[1], HasSubstr("ERROR: the disk of"));
  EXPECT_THAT(said_[2], HasSubstr("2 files of old logs, 2.0 MB: less than 2.00 GB free on the disk"));
  others_leave_ = 50'000'000'000;
  turn();
  others_leave_ = 2'900'000'000;
  turn();
  EXPECT_THAT(said_.back(), HasSubstr("WARNING: the disk of")) << "again, after it had been well";
}

TEST_F(LogFolderTest, a_small_disk_is_not_short_for_being_small) {
  logs_.set({.free_bytes_min = 2'000'000'000});
  write("io.log.20261101T0", 24h, 1'000'000);
  capacity_ = 1'000'000'000;
  others_leave_ = 300'000'000;
  EXPECT_EQ(turn().size(), 1U);
  EXPECT_EQ(logs_.figures().free_bytes_min, 100'000'000U);
  others_leave_ = 90'000'000;
  EXPECT_EQ(turn().size(), 0U);
}

TEST_F(LogFolderTest, a_roles_file_is_put_aside_when_it_is_full_or_a_day_old) {
  logs_.set({.bytes_max = 1'000'000});
  EXPECT_EQ(logs_.file_bytes_max(), 64U * 1024U);
  LineLog log(logs_, "io");
  const auto feed = [&](const std::string& text) { log.feed(text, [](std::string_view) {}); };
  feed("the first line\n");
  clock_.advance(23h);
  feed("of the same day\n");
  EXPECT_THAT(turn(), ElementsAre("io.log"));
  clock_.advance(2h);
  feed("of the next\n");
  EXPECT_THAT(turn(), ElementsAre("io.log", "io.log.20261122T130100Z"));
  EXPECT_EQ(*read_file(folder_.path() / "io.log"), "of the next\n");
  for (int i = 0; i < 40'000; ++i) {
    feed("a line of thirty characters or so\n");
    if (i % 100 == 0) logs_.turn({"io"});
  }
  turn();
  EXPECT_LE(bytes(), 1'000'000U);
  EXPECT_GT(bytes(), 800'000U);
}

}  // namespace
}  // namespace rltune::keeper
