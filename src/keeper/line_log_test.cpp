#include "line_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "forward.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::keeper {
namespace {

class LineLogTest : public testing::Test {
 protected:
  void feed(LineLog& log, std::string_view bytes) {
    log.feed(bytes, [this](std::string_view line) { lines_.emplace_back(line); });
  }

  TemporaryFolder scratch_;
  const std::filesystem::path folder_ = scratch_.path();
  WallClock clock_;
  LogFolder logs_{folder_, clock_, [](auto, const auto&) {}};
  std::vector<std::string> lines_;
};

TEST_F(LineLogTest, lines_are_whole_however_the_bytes_came) {
  LineLog log(logs_, "io");
  feed(log, "one\ntw");
  feed(log, "o\n\nthree");
  EXPECT_THAT(lines_, testing::ElementsAre("one", "two"));
  log.finish([this](std::string_view line) { lines_.emplace_back(line); });
  EXPECT_THAT(lines_, testing::ElementsAre("one", "two", "three"));
  EXPECT_EQ(*read_file(folder_ / "io.log"), "one\ntwo\nthree\n");
}

TEST_F(LineLogTest, an_endless_line_is_cut) {
  LineLog log(logs_, "io");
  feed(log, std::string(3 * LineLog::kLineBytesMax, 'x'));
  EXPECT_EQ(lines_.size(), 3U);
}

TEST_F(LineLogTest, the_files_stay_bounded) {
  logs_.set({.bytes_max = 1});
  LineLog log(logs_, "io");
  for (int i = 0; i < 20'000; ++i) feed(log, "a line of thirty characters or so\n");
  for (const auto& entry : std::filesystem::directory_iterator(folder_))
    EXPECT_LT(entry.file_size(), 66U * 1024U) << entry.path();
  EXPECT_EQ(lines_.size(), 20'000U);
}

TEST_F(LineLogTest, a_folder_that_is_not_there_costs_nothing_but_the_file) {
  LogFolder missing(folder_ / "missing", clock_, [](auto, const auto&) {});
  LineLog log(missing, "io");
  feed(log, "one\n");
  EXPECT_THAT(lines_, testing::ElementsAre("one"));
}

TEST(Forward, a_reader_that_stalls_costs_lines_and_no_time) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  Forward forward(ends[1]);
  for (int i = 0; i < 5000; ++i) forward.line("io", "a line that nobody reads, of a length that fills the pipe");
  EXPECT_GT(forward.lost(), 0U);
  for (const int end : ends) ::close(end);
}

TEST(Forward, plain_lines_are_wrapped_and_structured_ones_pass) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  Forward forward(ends[1]);
  const std::string structured = R"({"time":"t","level":"INFO","role":"io","message":"hello"})";
  forward.line("io", structured);
  forward.line("io", "terminate called \"x\"");
  std::array<char, 4096> bytes{};
  const std::string_view read(bytes.data(), static_cast<std::size_t>(::read(ends[0], bytes.data(), bytes.size())));
  EXPECT_TRUE(read.starts_with(structured + "\n"));
  EXPECT_THAT(std::string(read), testing::HasSubstr(R"("role":"io","message":"terminate called \"x\"")"));
  for (const int end : ends) ::close(end);
}

TEST(Forward, a_structured_line_reads_as_text) {
  EXPECT_EQ(readable(R"({"time":"t","level":"WARNING","role":"io","message":"lost","tag":"x","count":3})"),
            "io: WARNING: lost tag=x count=3");
  EXPECT_EQ(readable("{broken"), "");
}

}  // namespace
}  // namespace rltune::keeper
