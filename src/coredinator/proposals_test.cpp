#include "proposals.hpp"

#include <gtest/gtest.h>

#include "manual_clock.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::coredinator {
namespace {

class ProposalsTest : public testing::Test {
 protected:
  Proposals open() { return Proposals::open(file_, clock_); }
  static WaitingChange change(const std::string& author = "ada") {
    WaitingChange change{.shown = {}, .basis = "0a1b"};
    change.shown.set_author(author);
    change.shown.set_reason("a colder summer");
    change.shown.set_text("schema: ...");
    change.shown.add_files("site.yaml");
    change.shown.add_loosens("guard.outputs[heating].limits");
    return change;
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "data" / "proposals.json";
  ManualClock clock_{TimePoint(std::chrono::hours(1'000))};
};

TEST_F(ProposalsTest, what_was_proposed_is_there_after_a_start_and_gone_once_settled) {
  const std::string id = open().add(change()).value();
  const auto found = open().find(id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->basis, "0a1b");
  EXPECT_EQ(found->shown.author(), "ada");
  EXPECT_EQ(found->shown.loosens(0), "guard.outputs[heating].limits");
  EXPECT_EQ(found->shown.ends_unix_ns() - found->shown.made_unix_ns(), Duration(kProposalLife).count());
  ASSERT_TRUE(open().remove(id));
  EXPECT_EQ(open().find(id).error().code, Errc::not_found);
}

TEST_F(ProposalsTest, nobody_agrees_to_what_is_a_week_old) {
  Proposals proposals = open();
  const std::string id = proposals.add(change()).value();
  clock_.advance(kProposalLife - std::chrono::seconds(1));
  EXPECT_TRUE(proposals.find(id));
  clock_.advance(std::chrono::seconds(1));
  EXPECT_FALSE(proposals.find(id));
  EXPECT_EQ(proposals.list().proposals_size(), 0);
}

TEST_F(ProposalsTest, a_bounded_number_waits) {
  Proposals proposals = open();
  for (std::size_t i = 0; i < kProposalsMax; ++i) ASSERT_TRUE(proposals.add(change()));
  EXPECT_EQ(proposals.add(change()).error().code, Errc::denied);
  EXPECT_EQ(proposals.list().proposals_size(), static_cast<int>(kProposalsMax));
}

TEST_F(ProposalsTest, a_file_that_is_none_takes_no_effect_and_is_kept) {
  ASSERT_TRUE(write_file(file_, R"({"proposals":[{"id":7}]})"));
  EXPECT_EQ(open().list().proposals_size(), 0);
  EXPECT_TRUE(std::filesystem::exists(file_.string() + ".damaged"));
}

TEST_F(ProposalsTest, on_an_encrypted_site_names_and_reasons_are_in_no_file) {
  const auto key = folder_.path() / "key";
  ASSERT_TRUE(vault::Key::make_file(key));
  std::filesystem::create_directories(file_.parent_path());
  ASSERT_TRUE(vault::declare(file_.parent_path(), {.encrypted = true, .key_file = key}));
  const std::string id = open().add(change("grace")).value();
  const std::string bytes = read_file(file_).value();
  EXPECT_EQ(bytes.find("grace"), std::string::npos);
  EXPECT_EQ(bytes.find("colder"), std::string::npos);
  EXPECT_EQ(open().find(id)->shown.author(), "grace");
}

}  // namespace
}  // namespace rltune::coredinator
