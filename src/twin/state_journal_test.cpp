#include "state_journal.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <format>

#include "dcs_file.hpp"
#include "rltune/base/file.hpp"

namespace rltune::twin {
namespace {

class StateJournalTest : public ::testing::Test {
 protected:
  StateJournalTest() : folder_(std::filesystem::path(::testing::TempDir()) / std::format("journal_{}", ::getpid())) {}
  ~StateJournalTest() override { std::filesystem::remove_all(folder_); }

  Result<StateJournal> open(const std::string& title = "lettuce 2014-02-09T00:00:00Z") {
    return StateJournal::open(folder_ / "season.journal", title, 3, 1);
  }
  std::string text() { return *read_file(folder_ / "season.journal"); }

  std::filesystem::path folder_;
};

TEST_F(StateJournalTest, gives_back_every_bit_of_what_it_was_given) {
  const std::vector<double> inputs{0.1, 1.0 / 3.0, 1e-300};
  {
    auto journal = open();
    ASSERT_TRUE(journal) << journal.error().message;
    EXPECT_TRUE(journal->contents().steps.empty());
    ASSERT_TRUE(journal->append_step(inputs, -0.1 - 0.2));
    ASSERT_TRUE(journal->append_mode(2, 0));
    ASSERT_TRUE(journal->append_step(inputs, 5.0));
  }
  const auto journal = open();
  ASSERT_TRUE(journal) << journal.error().message;
  ASSERT_EQ(journal->contents().steps.size(), 2U);
  EXPECT_EQ(journal->contents().steps[0].inputs, inputs);
  EXPECT_EQ(journal->contents().steps[0].season_return, -0.1 - 0.2);
  ASSERT_EQ(journal->contents().modes.size(), 1U);
  EXPECT_EQ(journal->contents().modes[0].after_steps, 1U);
  EXPECT_EQ(journal->contents().modes[0].output, 2U);
}

TEST_F(StateJournalTest, cuts_off_a_half_written_line_and_goes_on) {
  ASSERT_TRUE(open()->append_step(std::vector<double>{1, 2, 3}, 4));
  const std::string whole = text();
  ASSERT_TRUE(write_file(folder_ / "season.journal", whole + "step 2 1 2"));
  {
    auto journal = open();
    ASSERT_TRUE(journal) << journal.error().message;
    EXPECT_EQ(journal->contents().steps.size(), 1U);
    EXPECT_EQ(text(), whole);
    ASSERT_TRUE(journal->append_step(std::vector<double>{5, 6, 7}, 8));
  }
  EXPECT_EQ(open()->contents().steps.size(), 2U);
}

TEST_F(StateJournalTest, refuses_another_season) {
  ASSERT_TRUE(open());
  const auto other = open("lettuce 2015-02-09T00:00:00Z");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Errc::mismatch);
}

TEST_F(StateJournalTest, refuses_lines_that_are_no_records) {
  ASSERT_TRUE(open());
  const std::string title = text();
  for (const char* line :
       {"step 1 1 2\n", "step 2 1 2 3 4\n", "step 1 1 2 3 4 5\n", "step 1 1 x 3 4\n", "mode 3 0\n", "what\n"}) {
    ASSERT_TRUE(write_file(folder_ / "season.journal", title + line));
    const auto journal = open();
    ASSERT_FALSE(journal) << line;
    EXPECT_EQ(journal.error().code, Errc::corrupt);
    EXPECT_NE(journal.error().message.find(":2:"), std::string::npos);
  }
}

TEST(DcsFile, reads_modes_and_skips_comments) {
  const auto settings = parse_dcs("# control room\nheating_mode: 0\n\n ventilation_mode = 1 # back\r\n");
  ASSERT_TRUE(settings);
  ASSERT_EQ(settings->size(), 2U);
  EXPECT_EQ((*settings)[0].tag, "heating_mode");
  EXPECT_EQ((*settings)[0].mode, 0U);
  EXPECT_EQ((*settings)[1].tag, "ventilation_mode");
  EXPECT_EQ((*settings)[1].mode, 1U);
}

TEST(DcsFile, names_the_line_that_is_wrong) {
  const auto settings = parse_dcs("heating_mode: 1\nheating_mode: manual\n");
  ASSERT_FALSE(settings);
  EXPECT_NE(settings.error().message.find("line 2"), std::string::npos);
}

}  // namespace
}  // namespace rltune::twin
