#include "rltune/audit/search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manual_clock.hpp"
#include "rltune/audit/log.hpp"
#include "scratch_folder.hpp"

namespace rltune::audit {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

const TimePoint kFirstLine = parse_rfc3339("2026-01-02T23:59:58Z").value();

class SearchTest : public testing::Test {
 protected:
  // Two roles that write by turns, a line a second, over a midnight.
  void SetUp() override {
    ManualClock clock(kFirstLine);
    auto io = Log::open(folder(), "io", clock), gateway = Log::open(folder(), "gateway", clock);
    ASSERT_TRUE(io && gateway);
    for (int i = 0; i < 6; ++i) {
      Log& log = i % 2 == 0 ? *io : *gateway;
      ASSERT_TRUE(log.append({.actor = i < 3 ? "mia" : "ada",
                              .action = i % 2 == 0 ? "mode.change" : "sign_in",
                              .target = std::to_string(i)}));
      clock.advance(1s);
    }
  }
  std::filesystem::path folder() const { return scratch_.path() / "audit"; }
  // The targets of one page after the other, "|" between two pages.
  std::string targets(LineQuery query) {
    if (query.to == TimePoint{}) query.to = kFirstLine + 24h;
    if (query.limit == 0) query.limit = 100;
    std::string text;
    for (int pages = 0; pages < 20; ++pages) {
      const auto page = find_lines(folder(), query);
      EXPECT_TRUE(page) << page.error().message;
      if (!page) break;
      for (const FoundLine& one : page->lines) text += one.line.entry.target;
      if (page->next.empty()) break;
      text += "|";
      query.after = page->next;
    }
    return text;
  }

  historian::ScratchFolder scratch_;
};

TEST_F(SearchTest, lines_of_all_roles_come_by_time_and_each_once) {
  EXPECT_EQ(targets({.from = kFirstLine}), "012345");
  EXPECT_EQ(targets({.from = kFirstLine, .limit = 4}), "0123|45");
  EXPECT_EQ(targets({.from = kFirstLine, .limit = 1}), "0|1|2|3|4|5") << "and over midnight";
  EXPECT_EQ(targets({.from = kFirstLine, .limit = 3}), "012|345") << "no empty page at the end";
}

TEST_F(SearchTest, what_is_not_asked_for_is_left_out) {
  EXPECT_EQ(targets({.from = kFirstLine, .actor = "mia"}), "012");
  EXPECT_EQ(targets({.from = kFirstLine, .action = "mode"}), "024");
  EXPECT_EQ(targets({.from = kFirstLine, .action = "mode.change", .limit = 2}), "02|4");
  EXPECT_EQ(targets({.from = kFirstLine, .action = "mod"}), "");
  EXPECT_EQ(targets({.from = kFirstLine + 1s, .to = kFirstLine + 4s}), "123");
  EXPECT_EQ(targets({.from = kFirstLine + 24h, .to = kFirstLine + 48h}), "");
}

TEST_F(SearchTest, a_place_that_is_none_is_refused) {
  for (const char* after : {"2026-01-02/1/io", "2026-01-02/x/io/1", "2026-01-02/1/io/-1", "a/b/c/d/e"})
    EXPECT_EQ(
        find_lines(folder(), {.from = kFirstLine, .to = kFirstLine + 1h, .after = after, .limit = 1}).error().code,
        Errc::invalid_argument)
        << after;
}

}  // namespace
}  // namespace rltune::audit
