// A running site takes over another configuration: live, by starting one role again, and back by itself where that does
// not go well. Two agents on two pumps, ten decisions a second.
#include "command_answer.hpp"
#include "pilot_site.hpp"
#include "rltune/v1/config.pb.h"
#include "rltune/v1/operations.pb.h"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::PilotSite;

class TakeoverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::PilotOptions options;
    options.plant = "four-tank";
    options.lockstep = false;
    options.speed = 100.0;
    options.period_s = 0.1;
    options.agents = {{"one", {"pump_voltage_1"}}, {"two", {"pump_voltage_2"}}};
    // Each wants all there is.
    options.change_policy = [](policy::Artifact& artifact) {
      std::ranges::fill(artifact.network.layers.back().weight, 0.0F);
      std::ranges::fill(artifact.network.layers.back().bias, 5.0F);
    };
    options.twin_arguments = {"--shed-after", "0"};
    options.edits = {{"rltune/site/v1", "rltune/site/v2"}};
    site_ = std::make_unique<PilotSite>(options);
    ASSERT_NO_FATAL_FAILURE(site_->start());
    ASSERT_TRUE(site_->decides(5)) << site_->everything();
    ASSERT_TRUE(well({"io", "agent.one", "agent.two"}));
    before_ = text();
    std::filesystem::copy(site_->path("site/policy-two"), site_->path("site/policy-other"));
  }

  std::string text() { return read_file(site_->site_file()).value_or(""); }
  pid_t pid(const std::string& role) { return site_->role(role).pid(); }
  bool well(const std::vector<std::string>& roles) {
    return PilotSite::eventually(
        [&] {
          return std::ranges::all_of(roles,
                                     [&](const std::string& role) { return site_->role(role).state() == "healthy"; });
        },
        20s);
  }

  // The site's file with this text in place of that, in its first place after `from`.
  std::string draft(const std::string& from, const std::string& was, const std::string& is) {
    std::string changed = text();
    const std::size_t at = changed.find(was, changed.find(from));
    EXPECT_NE(at, std::string::npos) << was;
    changed.replace(at, was.size(), is);
    EXPECT_TRUE(write_file(site_->path("draft.yaml"), changed));
    return changed;
  }
  CommandAnswer config(const std::string& verb) {
    return run_command(
        std::string(RLTUNE_BIN_DIR) + "/rltune config " + verb + " --json --folder " + site_->path("site"),
        site_->path(""));
  }
  std::string running() { return " --run-folder " + site_->run_folder() + " "; }
  CommandAnswer apply(const std::string& more = "") {
    return config("apply " + site_->path("draft.yaml") + " --author grace --reason tried" + running() + more);
  }
  std::string state() {
    const auto answer = site_->ask<v1::ConfigAnswer>("coredinator", "coredinator.Config", v1::ConfigRequest());
    return answer ? answer->state() : "";
  }

  std::unique_ptr<PilotSite> site_;
  std::string before_;
};

TEST_F(TakeoverTest, a_limit_changes_while_the_loop_decides) {
  const pid_t io = pid("io"), one = pid("agent.one");
  const std::string after = draft("tag: pump_voltage_1", "high: 10", "high: 6");
  const json dry = json::parse(apply("--dry-run").out);
  EXPECT_EQ(dry["live"], json({"io"}));
  EXPECT_EQ(dry["restarts"], json::array());
  EXPECT_EQ(text(), before_);
  ASSERT_TRUE(PilotSite::eventually([&] { return site_->value("pump_voltage_1") > 9.0; }, 10s));

  const TimePoint asked = WallClock().now();
  const CommandAnswer answer = apply();
  ASSERT_EQ(answer.status, 0) << answer.out << answer.err;
  EXPECT_EQ(json::parse(answer.out)["takeover"]["state"], "applied");
  EXPECT_EQ(text(), after);
  ASSERT_TRUE(site_->decides(10));
  EXPECT_NEAR(site_->read("pump_voltage_1"), 6.0, 1e-6);
  EXPECT_GT(site_->read("pump_voltage_2"), 9.0);
  EXPECT_EQ(pid("io"), io);
  EXPECT_EQ(pid("agent.one"), one);
  // It went on deciding meanwhile.
  Duration longest{};
  TimePoint last = asked;
  for (const auto& decision : site_->recorded(asked)) {
    if (decision.agent != "one") continue;
    longest = std::max(longest, decision.wall_time - last);
    last = decision.wall_time;
  }
  std::printf("the longest pause between two decisions was %.0f ms\n", 1e3 * to_seconds(longest));
  EXPECT_LT(longest, 500ms);
}

// Each role starts with the level that telemetry.yaml says, and follows it.
TEST_F(TakeoverTest, a_level_changes_as_the_roles_run) {
  const auto level = [&](const std::string& role, const std::string& set = "") {
    v1::LogLevelRequest request;
    request.set_level(set);
    const auto answer = site_->ask<v1::LogLevelAnswer>(role, role.substr(0, role.find('.')) + ".LogLevel", request, 2s);
    return answer ? answer->level() : answer.error().message;
  };
  const auto becomes = [&](const std::string& role, const std::string& wanted) {
    return PilotSite::eventually([&] { return level(role) == wanted; }, 5s);
  };
  const pid_t io = pid("io"), one = pid("agent.one");
  ASSERT_TRUE(
      write_file(site_->path("draft.yaml"), "schema: rltune/telemetry/v1\nlevel: WARNING\nlevels: {io: DEBUG}\n"));
  const CommandAnswer answer = apply();
  ASSERT_EQ(answer.status, 0) << answer.out << answer.err;
  EXPECT_EQ(json::parse(answer.out)["live"], json::array()) << "the first version of its kind differs from nothing";
  EXPECT_TRUE(becomes("io", "DEBUG")) << level("io");
  EXPECT_TRUE(becomes("agent.one", "WARNING")) << level("agent.one");
  EXPECT_TRUE(becomes("coredinator", "WARNING")) << level("coredinator");
  EXPECT_EQ(pid("io"), io);
  EXPECT_EQ(pid("agent.one"), one);
  // By hand, until it starts again.
  EXPECT_EQ(level("agent.one", "debug"), "DEBUG");
  ::kill(one, SIGKILL);
  ASSERT_TRUE(PilotSite::eventually([&] { return pid("agent.one") != one && pid("agent.one") != 0; }, 20s));
  EXPECT_TRUE(becomes("agent.one", "WARNING")) << level("agent.one");
  ASSERT_TRUE(write_file(site_->path("draft.yaml"), "schema: rltune/telemetry/v1\nlevels: {agent: ERROR}\n"));
  const CommandAnswer second = apply();
  ASSERT_EQ(second.status, 0) << second.out << second.err;
  EXPECT_EQ(json::parse(second.out)["live"],
            json({"keeper", "coredinator", "io", "agent.*", "learner.*", "telemetry", "gateway"}));
  EXPECT_TRUE(becomes("agent.one", "ERROR")) << level("agent.one");
  EXPECT_TRUE(becomes("io", "INFO")) << level("io");
  ASSERT_TRUE(site_->decides(5));
}

TEST_F(TakeoverTest, what_is_kept_for_how_long_changes_as_the_roles_run) {
  const std::string decisions = site_->path("site/data/decisions/decisions-2020-01-01.db");
  const std::string logs = site_->path("run/logs/io.log.20200101T000000Z");
  ASSERT_TRUE(std::filesystem::exists(site_->path("run/logs/io.log")));
  for (const std::string& old : {decisions, logs}) {
    ASSERT_TRUE(write_file(old, ""));
    std::filesystem::last_write_time(old, std::filesystem::file_time_type::clock::now() - std::chrono::days(10));
  }
  ASSERT_TRUE(
      write_file(site_->path("draft.yaml"), "schema: rltune/retention/v2\ndecisions_days: 30\nlogs_days: 30\n"));
  ASSERT_EQ(apply().status, 0);
  const pid_t io = pid("io"), one = pid("agent.one");
  ASSERT_TRUE(site_->decides(5));
  EXPECT_TRUE(std::filesystem::exists(decisions) && std::filesystem::exists(logs));
  ASSERT_TRUE(write_file(site_->path("draft.yaml"), "schema: rltune/retention/v2\ndecisions_days: 5\nlogs_days: 5\n"));
  const CommandAnswer answer = apply();
  ASSERT_EQ(answer.status, 0) << answer.out << answer.err;
  EXPECT_EQ(json::parse(answer.out)["live"], json({"keeper", "io"}));
  EXPECT_TRUE(PilotSite::eventually([&] { return !std::filesystem::exists(logs); }, 20s));
  EXPECT_TRUE(PilotSite::eventually([&] { return !std::filesystem::exists(decisions); }, 30s));
  EXPECT_EQ(pid("io"), io);
  EXPECT_EQ(pid("agent.one"), one);
  ASSERT_TRUE(site_->decides(5));
}

TEST_F(TakeoverTest, a_change_that_one_agent_holds_starts_that_one_again) {
  const pid_t io = pid("io"), one = pid("agent.one"), two = pid("agent.two");
  draft("id: two", "policy-two", "policy-other");
  const CommandAnswer answer = apply();
  ASSERT_EQ(answer.status, 0) << answer.out << answer.err;
  const json said = json::parse(answer.out);
  EXPECT_EQ(said["restarts"], json({"agent.two", "learner.two"}));
  EXPECT_EQ(pid("io"), io);
  EXPECT_EQ(pid("agent.one"), one);
  EXPECT_NE(pid("agent.two"), two);
  EXPECT_EQ(site_->role("agent.two").state(), "healthy");
  EXPECT_EQ(json::parse(config("history").out)["versions"].size(), 2U);

  const CommandAnswer back = config("restore HEAD~1 --reason worse --author ada" + running());
  EXPECT_EQ(back.status, 0) << back.out << back.err;
  EXPECT_EQ(text(), before_);
  EXPECT_EQ(site_->role("agent.two").state(), "healthy");
}

TEST_F(TakeoverTest, what_a_role_refuses_is_taken_back_by_itself) {
  const pid_t io = pid("io"), one = pid("agent.one");
  draft("id: two", "policy-two", "policy-that-is-not-there");
  const CommandAnswer answer = apply();
  EXPECT_EQ(answer.status, 1) << answer.out;
  const json said = json::parse(answer.out);
  EXPECT_EQ(said["takeover"]["state"], "went_back");
  EXPECT_NE(said["takeover"]["reason"].get<std::string>().find("agent.two"), std::string::npos) << said;
  EXPECT_EQ(text(), before_);
  EXPECT_EQ(site_->role("agent.two").state(), "healthy");
  EXPECT_EQ(pid("io"), io);
  EXPECT_EQ(pid("agent.one"), one);
  const json versions = json::parse(config("history").out)["versions"];
  EXPECT_EQ(versions[0]["author"], "coredinator");
  EXPECT_EQ(versions[1]["author"], "grace");
  ASSERT_TRUE(site_->decides(10));
}

TEST_F(TakeoverTest, what_is_not_well_in_time_is_taken_back_too) {
  // A plant that nobody is: io starts and never connects.
  const std::string url = site_->twin_ready()["url"];
  draft("link:", url, "opc.tcp://127.0.0.1:1");
  const CommandAnswer answer = apply("--within 3");
  EXPECT_EQ(answer.status, 1) << answer.out << answer.err;
  EXPECT_EQ(json::parse(answer.out)["takeover"]["state"], "went_back");
  EXPECT_EQ(text(), before_);
  ASSERT_TRUE(well({"io", "agent.one", "agent.two"})) << site_->everything();
  ASSERT_TRUE(site_->decides(10));
}

TEST_F(TakeoverTest, io_starts_again_with_the_mode_it_had) {
  v1::ModeRequest mode;
  mode.set_mode("advisory");
  ASSERT_TRUE(site_->ask<v1::ModeAnswer>("io", "io.Mode", mode));
  const pid_t io = pid("io");
  const double held = site_->read("pump_voltage_1");
  draft("link:", "inactivity_timeout_s: 1", "inactivity_timeout_s: 2");
  const CommandAnswer answer = apply();
  ASSERT_EQ(answer.status, 0) << answer.out << answer.err;
  EXPECT_NE(pid("io"), io);
  const auto status = site_->io_status();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->mode(), "advisory");
  EXPECT_EQ(site_->read("pump_voltage_1"), held);
}

TEST_F(TakeoverTest, an_agent_leaves_the_site) {
  const std::string whole = text();
  const std::size_t from = whole.find("  - id: two"), to = whole.find("guard:");
  ASSERT_TRUE(write_file(site_->path("draft.yaml"), whole.substr(0, from) + whole.substr(to)));
  const pid_t two = pid("agent.two");
  const CommandAnswer answer = apply();
  ASSERT_EQ(answer.status, 0) << answer.out << answer.err;
  ASSERT_TRUE(PilotSite::eventually([&] { return ::kill(two, 0) != 0; }, 10s));
  EXPECT_EQ(pid("agent.two"), 0);
  ASSERT_TRUE(well({"io", "agent.one"}));
  ASSERT_TRUE(site_->decides(10));
}

// Whoever dies meanwhile: one of the two versions, and every role by it.
TEST_F(TakeoverTest, a_change_that_coredinators_end_interrupts_is_finished) {
  const pid_t two = pid("agent.two");
  const std::string after = draft("id: two", "policy-two", "policy-other");
  v1::ApplyConfigRequest request;
  request.set_text(after);
  request.set_author("grace");
  request.set_reason("tried");
  const auto health = site_->ask<v1::HealthAnswer>("coredinator", "coredinator.Health", v1::HealthRequest());
  ASSERT_TRUE(health);
  ASSERT_TRUE(site_->ask<v1::ConfigAnswer>("coredinator", "coredinator.ApplyConfig", request, 10s));
  ::kill(health->pid(), SIGKILL);
  ASSERT_TRUE(PilotSite::eventually([&] { return state() == "applied" || state() == "none"; }, 30s));
  EXPECT_EQ(text(), after);
  ASSERT_TRUE(well({"io", "agent.one", "agent.two"}));
  EXPECT_NE(pid("agent.two"), two);
  EXPECT_FALSE(std::filesystem::exists(site_->path("site/config.git/takeover")));
}

TEST_F(TakeoverTest, a_change_that_a_power_cut_interrupts_is_taken_back_where_it_cannot_run) {
  draft("id: two", "policy-two", "policy-that-is-not-there");
  v1::ApplyConfigRequest request;
  request.set_text(read_file(site_->path("draft.yaml")).value_or(""));
  request.set_author("grace");
  request.set_reason("tried");
  ASSERT_TRUE(site_->ask<v1::ConfigAnswer>("coredinator", "coredinator.ApplyConfig", request, 10s));
  site_->up().signal(SIGKILL);
  ASSERT_TRUE(site_->up().wait(10s));
  site_->start_up();
  ASSERT_TRUE(PilotSite::eventually([&] { return state() == "went_back" || text() == before_; }, 60s))
      << site_->everything();
  ASSERT_TRUE(well({"io", "agent.one", "agent.two"})) << site_->everything();
  EXPECT_EQ(text(), before_);
}

}  // namespace
}  // namespace rltune
