// A change of a site's configuration against a real store, with a supervisor whose roles do as the test says.
#include "takeover.hpp"

#include <gtest/gtest.h>

#include "example_kinds.hpp"
#include "manual_clock.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::coredinator {
namespace {

using namespace std::chrono_literals;
using config::replaced;

class TakeoverTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(write_file(file(), was_));
    for (int i = 0; i < 4; ++i) turn_roles();
    open();
  }

  std::filesystem::path file() const { return folder_.path() / "site.yaml"; }
  std::string text() const { return read_file(file()).value_or(""); }
  void open() { takeover_.emplace(Takeover::open(folder_.path(), clock_).value()); }

  static Planned role(const std::string& name) {
    Planned planned;
    planned.spec.set_name(name);
    return planned;
  }

  // Every role that is asked to stops or starts; those that start answer, unless they are to refuse.
  void turn_roles() {
    now_ += 100ms;
    for (const Action& action : supervisor_.due(now_)) {
      if (action.kind == Action::Kind::spawn) {
        v1::ChildStarted started;
        started.set_name(action.role);
        started.set_pid(pids_[action.role] = ++last_pid_);
        supervisor_.started(started, now_);
        ++starts_[action.role];
        if (refuses_ == action.role && text() != good_) end(action.role, 2);
      } else if (action.kind == Action::Kind::stop) {
        end(action.role, 0);
      }
    }
    for (const auto& [name, pid] : pids_) {
      v1::HealthAnswer health;
      health.set_healthy(ill_ != name || text() == good_);
      health.set_pid(pid);
      supervisor_.answered(name, health, now_);
    }
  }
  void end(const std::string& name, int code) {
    v1::ChildExited exited;
    exited.set_name(name);
    exited.set_pid(pids_[name]);
    exited.set_exit_code(code);
    supervisor_.exited(exited, now_);
  }

  Result<> begin(const std::string& from, const std::string& to) {
    v1::ApplyConfigRequest request;
    request.set_text(replaced(was_, from, to));
    request.set_author("grace");
    request.set_reason("tried");
    return takeover_->begin(request, was_, supervisor_);
  }
  // Until it has ended, or for so long.
  std::string run(Duration most = 100s) {
    for (const Duration end = now_ + most; takeover_->under_way() && now_ < end;) {
      takeover_->turn(supervisor_, now_);
      if (takeover_->wants_to_tell_io()) {
        ++told_;
        takeover_->told(io_says_);
      }
      turn_roles();
    }
    return takeover_->state().state();
  }

  TemporaryFolder folder_;
  ManualClock clock_{TimePoint(std::chrono::hours(1'000))};
  const std::string was_ = config::example_shared_site();
  std::string good_ = was_;  // what every role takes
  Supervisor supervisor_{{role("io"), role("agent.climate"), role("agent.rails")}};
  std::optional<Takeover> takeover_;
  Duration now_ = 100s;
  std::map<std::string, std::int32_t> pids_;
  std::map<std::string, int> starts_;
  std::int32_t last_pid_ = 1000;
  std::string refuses_, ill_;
  Result<> io_says_;
  int told_ = 0;
};

TEST_F(TakeoverTest, a_rule_is_told_to_io_and_nobody_starts_again) {
  ASSERT_TRUE(begin("step_max: 15", "step_max: 10"));
  EXPECT_NE(text().find("step_max: 10"), std::string::npos);
  EXPECT_EQ(run(), "applied");
  EXPECT_EQ(told_, 1);
  EXPECT_EQ(starts_, (std::map<std::string, int>{{"io", 1}, {"agent.climate", 1}, {"agent.rails", 1}}));
  const auto versions = configstore::Store::open(folder_.path())->log(10);
  ASSERT_EQ(versions->size(), 2U) << "what it was started with is a version too";
  EXPECT_EQ(versions->front().entry.author, "grace");
}

TEST_F(TakeoverTest, one_that_holds_a_field_starts_again_and_the_others_do_not) {
  ASSERT_TRUE(begin("policy: policies/rails", "policy: policies/other"));
  EXPECT_EQ(begin("step_max: 15", "step_max: 10").error().code, Errc::denied) << "one at a time";
  EXPECT_EQ(run(), "applied");
  EXPECT_EQ(starts_["agent.rails"], 2);
  EXPECT_EQ(starts_["agent.climate"], 1);
  EXPECT_EQ(starts_["io"], 1);
}

TEST_F(TakeoverTest, what_is_refused_or_ill_is_taken_back) {
  refuses_ = "agent.rails";
  ASSERT_TRUE(begin("policy: policies/rails", "policy: policies/other"));
  EXPECT_EQ(run(), "went_back");
  EXPECT_EQ(takeover_->state().reason(), "agent.rails: it refused to run: its log says why");
  EXPECT_EQ(text(), was_);
  refuses_.clear();

  ill_ = "agent.climate";
  ASSERT_TRUE(begin("policy: policies/pilot", "policy: policies/other"));
  EXPECT_EQ(run(), "went_back");
  EXPECT_EQ(takeover_->state().reason(), "after 30 s agent.climate is unhealthy");
  EXPECT_EQ(text(), was_);
  ill_.clear();

  io_says_ = fail(Errc::invalid_argument, "no");
  ASSERT_TRUE(begin("step_max: 15", "step_max: 10"));
  const std::string state = run();
  EXPECT_EQ(state, "failed") << "io refuses what was before, too";
  EXPECT_EQ(text(), was_);
}

TEST_F(TakeoverTest, the_next_coredinator_goes_on_where_this_one_was_killed) {
  ASSERT_TRUE(begin("policy: policies/rails", "policy: policies/other"));
  open();
  ASSERT_TRUE(takeover_->under_way());
  EXPECT_EQ(run(), "applied");
  EXPECT_EQ(starts_["agent.rails"], 2);

  // Killed on the way back.
  const std::string first = good_ = text();
  refuses_ = "agent.climate";
  v1::ApplyConfigRequest request;
  request.set_text(replaced(first, "policy: policies/pilot", "policy: policies/bad"));
  request.set_author("grace");
  request.set_reason("tried");
  ASSERT_TRUE(takeover_->begin(request, first, supervisor_));
  while (!takeover_->goes_back()) {
    takeover_->turn(supervisor_, now_);
    turn_roles();
  }
  refuses_.clear();
  open();
  EXPECT_TRUE(takeover_->goes_back());
  EXPECT_EQ(run(), "went_back");
  EXPECT_EQ(text(), first);
}

TEST_F(TakeoverTest, a_kill_before_the_version_leaves_everything_as_it_was) {
  ASSERT_TRUE(begin("policy: policies/rails", "policy: policies/other"));
  ASSERT_TRUE(write_file(file(), was_));  // as if the files had not been put in place
  open();
  EXPECT_FALSE(takeover_->under_way());
  EXPECT_EQ(starts_["agent.rails"], 1);
}

TEST_F(TakeoverTest, what_coredinator_holds_makes_it_leave) {
  ASSERT_TRUE(begin("name: pilot", "name: south"));
  EXPECT_TRUE(takeover_->wants_to_leave());
  open();
  EXPECT_FALSE(takeover_->wants_to_leave());
  EXPECT_EQ(run(), "applied");
  EXPECT_EQ(starts_["io"], 2);
  EXPECT_EQ(starts_["agent.climate"], 2);
}

TEST_F(TakeoverTest, a_file_that_is_not_good_changes_nothing) {
  EXPECT_FALSE(begin("step_max: 15", "step_max: x"));
  EXPECT_FALSE(takeover_->under_way());
  EXPECT_EQ(text(), was_);
}

}  // namespace
}  // namespace rltune::coredinator
