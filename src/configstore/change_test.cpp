#include "rltune/configstore/change.hpp"

#include <gtest/gtest.h>

#include "example_kinds.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::configstore {
namespace {

using config::example_site;
using config::example_users;
using config::replaced;

class ChangeTest : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    EXPECT_TRUE(write_file(folder_.path() / name, text));
    return folder_.path() / name;
  }
  Result<Version> apply(const std::string& name, const std::string& text, const std::string& reason = "because") const {
    const auto plan = plan_change(folder_.path(), write(name, text));
    if (!plan) return std::unexpected(plan.error());
    return apply_change(folder_.path(), *plan, {"ada", reason, kTime});
  }
  std::string lying(const std::string& name) const { return read_file(folder_.path() / name).value_or("none"); }
  std::vector<Version> log() const { return *Store::open(folder_.path())->log(100); }

  static constexpr TimePoint kTime{std::chrono::hours(24 * 365 * 50)};
  TemporaryFolder folder_;
};

TEST_F(ChangeTest, a_draft_replaces_the_file_and_says_what_it_changes) {
  ASSERT_TRUE(apply("site.yaml", example_site(), "first"));
  const auto draft = write("draft.yaml", replaced(example_site(), "period_s: 60", "period_s: 30"));
  const auto plan = plan_change(folder_.path(), draft);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->name, "site.yaml");
  EXPECT_FALSE(plan->first);
  ASSERT_EQ(plan->changes.size(), 1U);
  EXPECT_EQ(plan->changes[0].field, "agents[climate].period_s");
  EXPECT_EQ(log().size(), 1U) << "a plan writes nothing";
  ASSERT_TRUE(apply_change(folder_.path(), *plan, {"grace", "faster", kTime}));
  EXPECT_EQ(lying("site.yaml"), lying("draft.yaml"));
  EXPECT_EQ(log()[0].entry.author, "grace");
}

TEST_F(ChangeTest, a_file_that_is_not_good_changes_nothing) {
  ASSERT_TRUE(apply("site.yaml", example_site()));
  const auto refused = apply("draft.yaml", replaced(example_site(), "period_s: 60", "period_s: -1"));
  EXPECT_EQ(refused.error().message, (folder_.path() / "draft.yaml").string() +
                                         ":40: agents[0].period_s: -1 must be at least 0.001 and at most 604800");
  EXPECT_EQ(lying("site.yaml"), example_site());
  EXPECT_EQ(log().size(), 1U);
}

TEST_F(ChangeTest, a_file_edited_in_place_is_recorded) {
  ASSERT_TRUE(apply("site.yaml", example_site()));
  ASSERT_TRUE(apply("site.yaml", replaced(example_site(), "period_s: 60", "period_s: 20")));
  EXPECT_EQ(log().size(), 2U);
  const auto same = plan_change(folder_.path(), folder_.path() / "site.yaml");
  EXPECT_TRUE(same->same);
  EXPECT_TRUE(same->changes.empty());
}

TEST_F(ChangeTest, what_was_changed_by_hand_is_recorded_before_it_is_replaced) {
  ASSERT_TRUE(apply("site.yaml", example_site()));
  const std::string by_hand = replaced(example_site(), "period_s: 60", "period_s: 45");
  write("site.yaml", by_hand);
  ASSERT_TRUE(apply("draft.yaml", replaced(example_site(), "period_s: 60", "period_s: 30")));
  ASSERT_EQ(log().size(), 3U);
  EXPECT_EQ(log()[1].entry.author, "unknown");
  EXPECT_EQ(Store::open(folder_.path())->files("HEAD~1")->at("site.yaml"), by_hand);
  EXPECT_EQ(lying("site.yaml"), lying("draft.yaml"));
}

TEST_F(ChangeTest, a_broken_file_is_kept_aside_and_never_becomes_a_version) {
  ASSERT_TRUE(apply("site.yaml", example_site()));
  write("site.yaml", "password: hunter2\n");
  ASSERT_TRUE(apply("draft.yaml", replaced(example_site(), "period_s: 60", "period_s: 30")));
  EXPECT_EQ(log().size(), 2U);
  EXPECT_EQ(lying("site.yaml.replaced"), "password: hunter2\n");
  EXPECT_EQ(lying("site.yaml"), lying("draft.yaml"));
}

TEST_F(ChangeTest, restoring_brings_the_files_of_a_version_back_as_a_new_one) {
  const auto first = apply("site.yaml", example_site());
  ASSERT_TRUE(apply("users.yaml", example_users()));
  ASSERT_TRUE(apply("site.yaml", replaced(example_site(), "period_s: 60", "period_s: 20")));
  const auto back = restore(folder_.path(), first->id.substr(0, 10), {"ada", "worse", kTime});
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(lying("site.yaml"), example_site());
  EXPECT_EQ(lying("users.yaml"), "none") << "the version had no such file";
  EXPECT_EQ(back->files, (std::vector<std::string>{"site.yaml", "users.yaml"}));
  EXPECT_EQ(log().size(), 4U);
  EXPECT_FALSE(restore(folder_.path(), first->id, {"ada", "again", kTime})) << "nothing changes";
  EXPECT_EQ(restore(folder_.path(), "12345678", {"ada", "again", kTime}).error().code, Errc::not_found);
}

}  // namespace
}  // namespace rltune::configstore
