// Versions of an agent on a site that runs: deployed, promoted and rolled back by the operator's commands, under a load
// of calls, with bad ones among them and with processes killed on the way.
#include "site_versions.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::ChildProcess;
using testing::PilotSite;

struct Said {
  int status = -1;
  std::string out, err;
};

class Versions : public ::testing::Test {
 protected:
  void start(const std::string& mode = "auto", const std::function<void(policy::Artifact&)>& change_policy = {}) {
    testing::PilotOptions options = testing::versions_options(mode);
    options.change_policy = change_policy;
    site_ = std::make_unique<PilotSite>(options);
    versions_.emplace(*site_);
    ASSERT_NO_FATAL_FAILURE(site_->start());
    ASSERT_TRUE(site_->decides(10)) << site_->everything();
  }
  std::string artifact(const std::string& name, std::uint64_t seed,
                       const std::function<void(policy::Artifact&)>& change = {}) {
    return versions_->artifact(name, seed, change);
  }
  Said run(const std::string& noun, const std::string& verb, std::vector<std::string> arguments) {
    std::vector<std::string> command{RLTUNE_BIN_DIR "/rltune", noun, verb, site_->site_file()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    command.insert(command.end(), {"--run-folder", site_->run_folder(), "--json"});
    const std::string errors = site_->path("command.err");
    std::filesystem::remove(errors);
    ChildProcess child(command, errors);
    Said said;
    while (const auto line = child.read_line(20s)) said.out += *line + "\n";
    said.status = child.wait(20s).value_or(-1);
    said.err = read_file(errors).value_or("");
    return said;
  }
  Said deploy(const std::string& folder, const std::string& version, std::vector<std::string> more = {},
              const std::string& shadow_s = "0.5") {
    std::vector<std::string> arguments{"climate", folder,         "--version", version,         "--yes", "--shadow",
                                       shadow_s,  "--proposals",  "5",         "--canary-span", "0.5",   "--probation",
                                       "600",     "--evaluation", "0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run("version", "deploy", arguments);
  }
  v1::AgentInfo agent() { return versions_->agent(); }
  v1::VersionInfo version(const std::string& name) { return versions_->version(name); }
  bool reaches(const std::string& name, const std::string& state) { return versions_->reaches(name, state); }
  bool acts(const std::string& name) { return versions_->acts(name); }
  pid_t pid(const std::string& name) { return versions_->pid(name); }
  std::string told() { return site_->everything(); }

  std::unique_ptr<PilotSite> site_;
  std::optional<testing::SiteVersions> versions_;
};

TEST_F(Versions, a_good_version_takes_over_by_itself_and_can_be_rolled_back_under_load_without_a_lost_call) {
  ASSERT_NO_FATAL_FAILURE(start());
  const pid_t first = pid("0.0.0");
  testing::CallLoad load(site_->run_folder());
  const Said said = deploy(artifact("second", 2), "2.0.0");
  ASSERT_EQ(said.status, 0) << said.err;
  EXPECT_EQ(json::parse(said.out)["state"], "staged");
  ASSERT_TRUE(reaches("2.0.0", "active")) << version("2.0.0").DebugString() << told();
  ASSERT_TRUE(acts("2.0.0")) << told();
  EXPECT_EQ(version("0.0.0").state(), "standby");
  EXPECT_EQ(pid("0.0.0"), first) << "it stands by, and was not restarted";
  const TimePoint switched = WallClock().now();
  ASSERT_TRUE(site_->decides(10)) << told();
  std::size_t written = 0, shadowed = 0;
  for (const historian::Decision& decision : site_->recorded(switched)) {
    written += decision.origin == "policy" ? 1 : 0;
    shadowed += decision.origin == "shadow" && decision.agent == "climate" ? 1 : 0;
    EXPECT_NE(decision.agent, "climate@2.0.0") << "it is the one that acts";
  }
  EXPECT_GE(written, 5U);
  EXPECT_GE(shadowed, 5U) << "its predecessor goes on in shadow";

  const Said back = run("version", "rollback", {"climate", "--yes", "--reason", "wastes gas"});
  ASSERT_EQ(back.status, 0) << back.err;
  ASSERT_TRUE(acts("0.0.0")) << told();
  EXPECT_EQ(version("2.0.0").state(), "rolled_back");
  ASSERT_TRUE(PilotSite::eventually([&] { return site_->role("agent.climate@2.0.0").name().empty(); }, 20s))
      << "its instance is drained and stopped";
  EXPECT_EQ(pid("0.0.0"), first);
  load.stop();
  EXPECT_EQ(load.failed, 0U) << load.first_error;
  EXPECT_GT(load.answered, 500U);
  EXPECT_EQ(load.pids().size(), 2U) << "both instances answered calls";
  site_->expect_rules_were_kept(0);  // whether it moves each of them is the policies' choice
  const json shown = json::parse(run("version", "show", {"climate", "2.0.0"}).out);
  EXPECT_EQ(shown["history"][0]["to"], "rolled_back");
  EXPECT_NE(shown["history"][0]["reason"].get<std::string>().find("wastes gas"), std::string::npos);
}

TEST_F(Versions, bad_versions_are_rolled_back_and_the_plant_notices_nothing) {
  ASSERT_NO_FATAL_FAILURE(start());
  const pid_t first = pid("0.0.0");
  const std::string wait = "600";

  // Of another plant: it refuses itself.
  policy::Artifact other = testing::pilot_artifact(3, true, "cstr");
  ASSERT_TRUE(policy::save_artifact(site_->path("other"), other));
  ASSERT_EQ(deploy(site_->path("other"), "1.0.1").status, 0);
  ASSERT_TRUE(reaches("1.0.1", "rolled_back")) << told();
  EXPECT_NE(version("1.0.1").reason().find("refused"), std::string::npos) << version("1.0.1").reason();

  // Damaged after it was made.
  const std::string damaged = artifact("damaged", 4);
  ASSERT_TRUE(write_file(damaged + "/policy.onnx", "not a graph"));
  ASSERT_EQ(deploy(damaged, "1.0.2").status, 0);
  ASSERT_TRUE(reaches("1.0.2", "rolled_back")) << told();

  // Dies in shadow.
  ASSERT_EQ(deploy(artifact("dies", 5), "1.0.3", {}, wait).status, 0);
  ASSERT_TRUE(reaches("1.0.3", "shadow")) << version("1.0.3").reason() << told();
  ::kill(pid("1.0.3"), SIGKILL);
  ASSERT_TRUE(reaches("1.0.3", "rolled_back")) << told();
  EXPECT_NE(version("1.0.3").reason().find("died"), std::string::npos) << version("1.0.3").reason();

  // Hangs in shadow: a second without a proposal is its limit.
  ASSERT_EQ(deploy(artifact("hangs", 6), "1.0.4", {}, wait).status, 0);
  ASSERT_TRUE(reaches("1.0.4", "shadow")) << version("1.0.4").reason() << told();
  const pid_t hung = pid("1.0.4");
  ::kill(hung, SIGSTOP);
  const auto stopped = std::chrono::steady_clock::now();
  ASSERT_TRUE(reaches("1.0.4", "rolled_back")) << told();
  EXPECT_LT(std::chrono::steady_clock::now() - stopped, 1s + 2s);
  EXPECT_NE(version("1.0.4").reason().find("no proposal"), std::string::npos) << version("1.0.4").reason();

  // Wrong answers: jumps that the guard would cut.
  ASSERT_EQ(deploy(artifact("wrong", 7, testing::make_restless), "1.0.5", {}, wait).status, 0);
  ASSERT_TRUE(reaches("1.0.5", "rolled_back")) << version("1.0.5").state() << told();
  EXPECT_NE(version("1.0.5").reason().find("the guard changes"), std::string::npos) << version("1.0.5").reason();

  EXPECT_EQ(agent().active(), "0.0.0");
  EXPECT_EQ(pid("0.0.0"), first);
  EXPECT_TRUE(site_->decides(10)) << told();
  for (const historian::Decision& decision : site_->recorded())
    EXPECT_TRUE(decision.origin == "policy" || decision.origin == "shadow") << decision.origin;
  ASSERT_TRUE(PilotSite::eventually(
      [&] { return ::kill(hung, 0) != 0 && site_->role("agent.climate@1.0.4").name().empty(); }, 20s))
      << "one that hangs is killed in the end";
}

// Every valve is opened as far as it goes. That costs more than it earns, and less than the pilot's random weights do.
void make_wasteful(policy::Artifact& artifact) {
  for (nn::DenseLayer& layer : artifact.network.layers) {
    std::ranges::fill(layer.weight, 0.0F);
    std::ranges::fill(layer.bias, 10.0F);
  }
}

TEST_F(Versions, on_the_twin_a_version_must_not_be_worse_than_the_active_one) {
  ASSERT_NO_FATAL_FAILURE(start("auto", make_wasteful));
  const auto evaluated = [&](const std::string& folder, const std::string& name) {
    v1::Traffic traffic = testing::SiteVersions::quick_traffic();
    traffic.set_shadow_s(600.0);
    traffic.set_evaluation_seasons(3);
    const auto done = versions_->deploy(folder, name, traffic);
    EXPECT_TRUE(done) << (done ? "" : done.error().message);
  };
  evaluated(artifact("random", 1), "2.0.0");
  ASSERT_TRUE(reaches("2.0.0", "rolled_back")) << version("2.0.0").DebugString() << told();
  EXPECT_NE(version("2.0.0").reason().find("on the twin: gain -"), std::string::npos) << version("2.0.0").reason();
  // The very policy that acts gains nothing and loses nothing.
  evaluated(site_->path("site/policy"), "2.0.1");
  ASSERT_TRUE(reaches("2.0.1", "shadow")) << version("2.0.1").DebugString() << told();
  EXPECT_NE(version("2.0.1").reason().find("gain 0 a season"), std::string::npos) << version("2.0.1").reason();
  // What cannot be judged is not let through.
  evaluated(artifact("other", 3, [](policy::Artifact& artifact) { artifact.manifest.plant = "cstr"; }), "2.0.2");
  ASSERT_EQ(versions_->order("rollback", "2.0.1").has_value(), true);
  ASSERT_TRUE(reaches("2.0.2", "rolled_back")) << version("2.0.2").DebugString() << told();
  EXPECT_EQ(agent().active(), "0.0.0");
}

TEST_F(Versions, an_active_version_that_dies_on_probation_gives_the_plant_back) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_EQ(deploy(artifact("second", 2), "2.0.0", {"--no-canary"}).status, 0);
  ASSERT_TRUE(reaches("2.0.0", "active")) << version("2.0.0").DebugString() << told();
  ASSERT_TRUE(acts("2.0.0")) << told();
  const auto killed = std::chrono::steady_clock::now();
  ::kill(pid("2.0.0"), SIGKILL);
  ASSERT_TRUE(reaches("2.0.0", "rolled_back")) << told();
  EXPECT_LT(std::chrono::steady_clock::now() - killed, 2s);
  ASSERT_TRUE(acts("0.0.0")) << told();
  EXPECT_TRUE(site_->decides(10)) << told();
}

TEST_F(Versions, whoever_is_killed_there_is_one_active_version_and_it_acts) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_EQ(deploy(artifact("second", 2), "2.0.0", {"--no-canary"}).status, 0);
  ASSERT_TRUE(reaches("2.0.0", "active")) << version("2.0.0").DebugString() << told();
  const auto coredinator = [&] {
    const auto health = site_->ask<v1::HealthAnswer>("coredinator", "coredinator.Health", v1::HealthRequest());
    return health ? health->pid() : 0;
  };
  ::kill(coredinator(), SIGKILL);
  ASSERT_TRUE(acts("2.0.0")) << told();
  ::kill(site_->role("io").pid(), SIGKILL);
  ASSERT_TRUE(acts("2.0.0") && site_->decides(10)) << told();
  site_->up().signal(SIGKILL);
  ASSERT_TRUE(PilotSite::eventually([&] { return !site_->io_status(); }, 10s));
  site_->start_up();
  ASSERT_TRUE(PilotSite::eventually([&] { return site_->role("io").state() == "healthy"; }, 30s)) << told();
  ASSERT_TRUE(acts("2.0.0")) << told();
  EXPECT_EQ(version("0.0.0").state(), "standby");
  EXPECT_TRUE(site_->decides(10)) << told();
}

TEST_F(Versions, switches_under_load_fail_no_call) {
  constexpr int kSwitches = 30;
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_EQ(deploy(artifact("second", 2), "2.0.0", {"--hold", "--no-canary"}).status, 0);
  ASSERT_TRUE(reaches("2.0.0", "shadow")) << version("2.0.0").DebugString() << told();
  testing::CallLoad load(site_->run_folder());
  for (int i = 0; i < kSwitches; ++i) {
    const std::string next = i % 2 == 0 ? "2.0.0" : "0.0.0";
    const auto answer = versions_->order("promote", next);
    ASSERT_TRUE(answer) << answer.error().message;
    ASSERT_EQ(answer->active(), next);
    ASSERT_TRUE(PilotSite::eventually([&] { return agent().in_force(); }, 5s)) << told();
  }
  EXPECT_EQ(agent().epoch(), static_cast<std::uint64_t>(kSwitches));
  load.stop();
  EXPECT_EQ(load.failed, 0U) << load.first_error;
  EXPECT_GT(load.answered, 100U);
  EXPECT_TRUE(site_->decides(10)) << told();
}

TEST_F(Versions, an_agent_that_was_stopped_stays_so_until_it_is_started) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_EQ(run("agent", "stop", {"climate", "--yes", "--reason", "service"}).status, 0);
  ASSERT_TRUE(PilotSite::eventually([&] { return site_->role("agent.climate").state() == "stopped"; }, 10s)) << told();
  EXPECT_EQ(json::parse(run("agent", "show", {"climate"}).out)["desired"], "stopped");
  site_->up().signal(SIGTERM);
  ASSERT_EQ(site_->up().wait(20s), 0);
  site_->start_up();
  ASSERT_TRUE(PilotSite::eventually([&] { return site_->role("io").state() == "healthy"; }, 30s)) << told();
  std::this_thread::sleep_for(1s);
  EXPECT_EQ(site_->role("agent.climate").pid(), 0) << told();
  ASSERT_EQ(run("agent", "start", {"climate", "--yes"}).status, 0);
  EXPECT_TRUE(acts("0.0.0")) << told();
  EXPECT_TRUE(site_->decides(5)) << told();
}

TEST_F(Versions, wrong_orders_are_refused_with_what_there_is) {
  ASSERT_NO_FATAL_FAILURE(start("shadow"));
  const Said unknown = run("agent", "show", {"lights"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_NE(unknown.err.find("climate"), std::string::npos) << unknown.err;
  EXPECT_EQ(run("version", "promote", {"climate", "9.9.9", "--yes"}).status, 2);
  EXPECT_EQ(run("version", "rollback", {"climate", "--yes"}).status, 1) << "there is nothing before the first";
  EXPECT_EQ(deploy(artifact("second", 2), "two").status, 2);
  EXPECT_EQ(run("version", "deploy", {"climate", site_->path("second"), "--version", "2.0.0"}).status, 2)
      << "nobody is there to say yes";
}

}  // namespace
}  // namespace rltune
