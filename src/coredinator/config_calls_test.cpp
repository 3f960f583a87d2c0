// Changes that come through a door where nobody may loosen a limit alone, against a real store.
#include "config_calls.hpp"

#include <gtest/gtest.h>

#include "example_kinds.hpp"
#include "manual_clock.hpp"
#include "rltune/base/file.hpp"
#include "rltune/config/users.hpp"
#include "temporary_folder.hpp"

namespace rltune::coredinator {
namespace {

using config::replaced;

class ConfigCallsTest : public testing::Test {
 protected:
  ConfigCallsTest() {
    EXPECT_TRUE(write_file(folder_.path() / "site.yaml", running_));
    EXPECT_TRUE(write_file(folder_.path() / "users.yaml", config::example_users()));
    open();
  }
  void open() {
    calls_.emplace(ConfigCalls::Parts{.takeover = takeover_,
                                      .supervisor = supervisor_,
                                      .audit = audit_,
                                      .running = running_,
                                      .site_folder = folder_.path(),
                                      .proposals_file = folder_.path() / "data" / "proposals.json",
                                      .begun = [this] { ++begun_; }},
                   clock_);
  }
  Result<v1::ConfigAnswer> apply(const std::string& text, const std::string& author = "ada") {
    v1::ApplyConfigRequest request;
    request.set_text(text);
    request.set_author(author);
    request.set_reason("a colder summer");
    request.set_four_eyes(true);
    request.set_may_change_users(author == "ada");
    return calls_->apply(request, "call-1");
  }
  Result<v1::ConfigAnswer> answer(const std::string& id, const std::string& user, bool agree = true,
                                  bool may_change_users = true) {
    v1::AnswerProposalRequest request;
    request.set_id(id);
    request.set_agree(agree);
    request.set_user(user);
    request.set_reason("looked at it");
    request.set_may_change_users(may_change_users);
    return calls_->answer_proposal(request, "call-2");
  }
  std::string site() const { return read_file(folder_.path() / "site.yaml").value(); }

  TemporaryFolder folder_;
  ManualClock clock_{TimePoint(std::chrono::hours(1'000))};
  const std::string running_ = config::example_shared_site();
  const std::string looser_ = replaced(running_, "{low: 0, high: 150}", "{low: 0, high: 190}");
  Takeover takeover_ = Takeover::open(folder_.path(), clock_).value();
  Supervisor supervisor_{{}};
  audit::Recorder audit_{{.folder = folder_.path() / "audit", .role = "test"}};
  std::optional<ConfigCalls> calls_;
  int begun_ = 0;
};

TEST_F(ConfigCallsTest, what_loosens_no_limit_is_taken_over_at_once) {
  const auto done = apply(replaced(running_, "step_max: 15", "step_max: 10"));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->state(), "under_way");
  EXPECT_EQ(begun_, 1);
}

TEST_F(ConfigCallsTest, a_wider_limit_waits_for_a_second_person_also_over_a_start) {
  const auto proposed = apply(looser_);
  ASSERT_TRUE(proposed) << proposed.error().message;
  EXPECT_EQ(proposed->state(), "proposed");
  EXPECT_EQ(proposed->loosens(0), "guard.outputs[heating].limits: 0 to 150 becomes 0 to 190");
  EXPECT_EQ(begun_, 0);
  EXPECT_EQ(site(), running_);
  open();
  ASSERT_EQ(calls_->proposals().proposals_size(), 1);
  const auto begun = answer(proposed->proposal(), "grace");
  ASSERT_TRUE(begun) << begun.error().message;
  EXPECT_EQ(begun->state(), "under_way");
  EXPECT_EQ(site(), looser_);
  EXPECT_EQ(calls_->proposals().proposals_size(), 0);
  const auto versions = calls_->versions({});
  ASSERT_TRUE(versions);
  EXPECT_EQ(versions->versions(0).author(), "ada");
  EXPECT_EQ(versions->versions(0).reason(), "a colder summer (agreed to by grace: looked at it)");
}

TEST_F(ConfigCallsTest, nobody_agrees_with_themselves) {
  const std::string id = apply(looser_)->proposal();
  EXPECT_EQ(answer(id, "ada").error().code, Errc::denied);
  EXPECT_EQ(site(), running_);
  EXPECT_TRUE(answer(id, "ada", false)) << "but may take it back";
  EXPECT_EQ(answer(id, "grace").error().code, Errc::not_found);
}

TEST_F(ConfigCallsTest, the_account_for_emergencies_is_no_second_person) {
  const std::string id = apply(looser_)->proposal();
  EXPECT_EQ(answer(id, std::string(config::kBreakGlassUser)).error().code, Errc::denied);
  const std::string own = apply(looser_, std::string(config::kBreakGlassUser))->proposal();
  EXPECT_EQ(answer(own, "ada").error().code, Errc::denied);
  EXPECT_EQ(site(), running_);
}

TEST_F(ConfigCallsTest, what_was_refused_does_not_come_back) {
  const std::string id = apply(looser_)->proposal();
  ASSERT_TRUE(answer(id, "grace", false));
  EXPECT_EQ(answer(id, "grace").error().code, Errc::not_found);
  EXPECT_EQ(site(), running_);
}

TEST_F(ConfigCallsTest, a_proposal_holds_for_what_it_was_made_for_alone) {
  const std::string id = apply(looser_)->proposal();
  ASSERT_TRUE(write_file(folder_.path() / "users.yaml", config::example_users() + "# changed\n"));
  EXPECT_EQ(answer(id, "grace").error().code, Errc::mismatch);
  EXPECT_EQ(site(), running_);
}

TEST_F(ConfigCallsTest, who_may_not_change_users_agrees_to_no_change_of_them) {
  const std::string users = replaced(config::example_users(), "role: operator", "role: engineer");
  EXPECT_EQ(apply(users, "grace").error().code, Errc::denied);
  const auto proposed = apply(users);
  ASSERT_TRUE(proposed) << proposed.error().message;
  ASSERT_EQ(proposed->state(), "proposed");
  EXPECT_EQ(answer(proposed->proposal(), "eve", true, false).error().code, Errc::denied);
  EXPECT_TRUE(answer(proposed->proposal(), "eve"));
}

TEST_F(ConfigCallsTest, an_older_version_that_allows_more_waits_as_well) {
  v1::ApplyConfigRequest request;
  request.set_text(looser_);
  request.set_author("root");
  request.set_reason("at the host");
  ASSERT_TRUE(calls_->apply(request, ""));
  const std::string looser = calls_->versions({})->versions(0).id();
  request.set_text("");
  request.set_restore(looser);
  request.set_author("ada");
  request.set_four_eyes(true);
  const auto proposed = calls_->apply(request, "");  // the roles still hold the stricter one
  ASSERT_TRUE(proposed) << proposed.error().message;
  EXPECT_EQ(proposed->state(), "proposed");
}

TEST_F(ConfigCallsTest, a_plan_says_what_would_change_who_starts_again_and_what_waits) {
  v1::PlanConfigRequest request;
  request.set_text(looser_);
  const auto plan = calls_->plan(request);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->file(), "site.yaml");
  ASSERT_EQ(plan->changes_size(), 1);
  EXPECT_EQ(plan->changes(0).field(), "guard.outputs[heating].limits.high");
  EXPECT_EQ(plan->live(0), "io");
  EXPECT_EQ(plan->loosens_size(), 1);
  request.set_text("schema: rltune/site/v2\n");
  ASSERT_TRUE(calls_->plan(request));
  EXPECT_GT(calls_->plan(request)->faults_size(), 0);
}

TEST_F(ConfigCallsTest, files_are_what_is_in_force_or_was) {
  const auto now = calls_->files({});
  ASSERT_TRUE(now);
  EXPECT_EQ(now->files().at("site.yaml"), running_);
  EXPECT_EQ(now->files().at("users.yaml"), config::example_users());
  v1::ConfigFilesRequest request;
  request.set_version("0123");
  EXPECT_FALSE(calls_->files(request));
}

}  // namespace
}  // namespace rltune::coredinator
