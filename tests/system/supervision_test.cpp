// A whole site through what happens to processes: started, each role killed, the keeper killed, stopped in order.
#include "pilot_site.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::PilotSite;

bool gone(pid_t pid) { return ::kill(pid, 0) != 0; }

double ms_since(steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - start).count();
}

// On the wall clock, ten decisions a second, another proposal every time.
class Supervision : public ::testing::Test {
 protected:
  void start(testing::PilotOptions options = {}) {
    options.lockstep = false;
    options.period_s = 0.1;
    options.rule = testing::tight_rule;
    options.change_policy = testing::make_restless;
    options.twin_arguments.insert(options.twin_arguments.end(), {"--observation-noise", "0.05"});
    site_ = std::make_unique<PilotSite>(options);
    ASSERT_NO_FATAL_FAILURE(site_->start());
    ASSERT_TRUE(site_->decides(10)) << site_->everything();
    io_ = site_->role("io").pid();
    agent_ = site_->role("agent.climate").pid();
    const auto health = site_->ask<v1::HealthAnswer>("coredinator", "coredinator.Health", v1::HealthRequest());
    ASSERT_TRUE(health);
    coredinator_ = health->pid();
  }

  std::unique_ptr<PilotSite> site_;
  pid_t io_ = 0, agent_ = 0, coredinator_ = 0;
};

TEST_F(Supervision, a_site_starts_in_order_decides_and_stops_in_order) {
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_EQ(site_->role("io").state(), "healthy");
  EXPECT_EQ(site_->role("agent.climate").state(), "healthy");
  site_->up().signal(SIGTERM);
  ASSERT_EQ(site_->up().wait(20s), 0) << site_->everything();
  EXPECT_TRUE(gone(io_) && gone(agent_) && gone(coredinator_));
  const auto summary = nlohmann::json::parse(site_->up().read_line(1s).value_or("{}"));
  EXPECT_EQ(summary["failed"], false);
  EXPECT_EQ(summary["roles"]["io"]["end"], "exit 0");
  EXPECT_EQ(summary["roles"]["agent.climate"]["end"], "exit 0");
  const std::string log = site_->everything();
  EXPECT_LT(log.find("agent.climate ended"), log.find("io ended"));
}

TEST_F(Supervision, a_killed_agent_decides_again_within_a_second) {
  ASSERT_NO_FATAL_FAILURE(start({.twin_arguments = {"--shed-after", "0"}}));
  const TimePoint killed = WallClock().now();
  ::kill(agent_, SIGKILL);
  ASSERT_TRUE(PilotSite::eventually([&] { return gone(agent_); }, 5s));
  // The first decision after the successor attached: what came before may be the last words of the dead.
  std::optional<TimePoint> again;
  ASSERT_TRUE(PilotSite::eventually(
      [&] {
        std::this_thread::sleep_for(100ms);
        const auto attached = site_->logged("agent.climate", "attached to io", killed);
        if (attached) again = site_->first_decision(*attached, "policy", true);
        return again.has_value();
      },
      20s))
      << site_->everything();
  std::printf("agent killed, deciding again after %.0f ms\n", 1e3 * to_seconds(*again - killed));
  EXPECT_LT(*again, killed + 1s);
  ASSERT_TRUE(site_->decides(20)) << site_->everything();
  EXPECT_NE(site_->role("agent.climate").pid(), agent_);
  site_->expect_rules_were_kept(10);
}

TEST_F(Supervision, a_killed_io_comes_back_and_the_agent_attaches_again) {
  ASSERT_NO_FATAL_FAILURE(start({.twin_arguments = {"--shed-after", "0"}}));
  const auto killed = steady_clock::now();
  ::kill(io_, SIGKILL);
  const auto back = [&] {
    const v1::RoleState io = site_->role("io");
    return io.pid() > 0 && io.pid() != io_ && io.state() == "healthy";
  };
  ASSERT_TRUE(PilotSite::eventually(back, 20s)) << site_->everything();
  std::printf("io killed, healthy again after %.0f ms\n", ms_since(killed));
  const TimePoint healthy = WallClock().now();
  EXPECT_TRUE(PilotSite::eventually(
      [&] {
        std::this_thread::sleep_for(100ms);
        return site_->first_decision(healthy, "policy", true).has_value();
      },
      20s))
      << site_->everything();
  EXPECT_TRUE(site_->decides(10, 20s)) << site_->everything();
  EXPECT_EQ(site_->role("agent.climate").pid(), agent_);
  site_->expect_rules_were_kept(10);
}

TEST_F(Supervision, a_killed_coredinator_finds_what_runs) {
  ASSERT_NO_FATAL_FAILURE(start());
  ::kill(coredinator_, SIGKILL);
  ASSERT_TRUE(PilotSite::eventually([&] { return gone(coredinator_); }, 5s));
  ASSERT_TRUE(PilotSite::eventually([&] { return site_->role("agent.climate").state() == "healthy"; }, 20s))
      << site_->everything();
  EXPECT_EQ(site_->role("io").pid(), io_);
  EXPECT_EQ(site_->role("agent.climate").pid(), agent_);
  EXPECT_TRUE(site_->decides(10)) << site_->everything();
}

TEST_F(Supervision, with_the_keeper_killed_every_role_is_gone_and_the_plant_sheds) {
  ASSERT_NO_FATAL_FAILURE(start({.twin_arguments = {"--shed-after", "1"}}));
  EXPECT_EQ(site_->plant_value("shed"), 0.0);
  site_->up().signal(SIGKILL);
  EXPECT_TRUE(PilotSite::eventually([&] { return gone(io_) && gone(agent_) && gone(coredinator_); }, 2s));
  // A second after the last heartbeat, as the twin was told.
  EXPECT_TRUE(PilotSite::eventually([&] { return site_->plant_value("shed") == 1.0; }, 3s));
}

TEST(SupervisionOfRefusals, a_policy_that_failed_its_validation_does_not_start_in_automatic_mode) {
  PilotSite site({.lockstep = false, .period_s = 0.1, .validated = false});
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(PilotSite::eventually([&] { return site.role("agent.climate").state() == "failed"; }, 30s))
      << site.everything();
  EXPECT_NE(site.log("agent.climate").find("did not pass its validation"), std::string::npos);
  EXPECT_TRUE(PilotSite::eventually([&] { return site.role("io").state() == "healthy"; }, 10s)) << site.everything();
}

TEST(SupervisionOfRefusals, a_site_that_is_wrong_ends_the_run_with_the_reason) {
  PilotSite site({.lockstep = false, .period_s = 0.1});
  ASSERT_NO_FATAL_FAILURE(site.start_twin());
  ASSERT_TRUE(write_file(site.path("site/site.yaml"), "schema: rltune/site/v1\nname: wrong\ncolour: blue\n"));
  site.start_up();
  EXPECT_EQ(site.up().wait(20s), 1);
  EXPECT_NE(site.everything().find("colour"), std::string::npos);
}

}  // namespace
}  // namespace rltune
