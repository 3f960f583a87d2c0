// Who does not answer is not asked on and on, and who dies again and again is not started on and on.
#include "pilot_site.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using std::chrono::steady_clock;
using testing::ChildProcess;
using testing::PilotSite;

class Circuits : public ::testing::Test {
 protected:
  void start(testing::PilotOptions options = {}) {
    options.lockstep = false;
    options.period_s = 0.1;
    options.rule = testing::tight_rule;
    site_ = std::make_unique<PilotSite>(options);
    ASSERT_NO_FATAL_FAILURE(site_->start());
    ASSERT_TRUE(site_->decides(10)) << site_->everything();
  }
  // What `rltune VERB site.yaml ... --json` says.
  json said(std::vector<std::string> words, const std::vector<std::string>& rest = {}) {
    words.insert(words.begin(), RLTUNE_BIN_DIR "/rltune");
    words.push_back(site_->site_file());
    words.insert(words.end(), rest.begin(), rest.end());
    words.insert(words.end(), {"--run-folder", site_->run_folder(), "--json"});
    ChildProcess child(words, site_->path("command.err"));
    std::string out;
    while (const auto line = child.read_line(20s)) out += *line + "\n";
    EXPECT_EQ(child.wait(20s), 0) << read_file(site_->path("command.err")).value_or("");
    return json::parse(out, nullptr, false);
  }
  std::string circuit(const std::string& from, const std::string& to) {
    const json status = said({"site", "status"});
    const json& circuits = from == "coredinator" ? status["circuits"] : status["roles"][from]["circuits"];
    return circuits.contains(to) ? circuits[to]["state"].get<std::string>() : "there is none";
  }
  // Kills the role as often as it comes up, until it is not started any more.
  void kill_on_and_on(const std::string& role) {
    pid_t last = 0;
    EXPECT_TRUE(PilotSite::eventually(
        [&] {
          const v1::RoleState state = site_->role(role);
          if (state.pid() > 0 && state.pid() != last) ::kill(last = state.pid(), SIGKILL);
          return state.state() == "failed" || site_->up().wait(0s).has_value();
        },
        90s))
        << site_->everything();
  }

  std::unique_ptr<PilotSite> site_;
};

TEST_F(Circuits, calls_for_a_role_that_hangs_fail_at_once_until_it_answers_again) {
  ASSERT_NO_FATAL_FAILURE(start());
  const pid_t agent = site_->role("agent.climate").pid();
  auto client = bus::Client::connect(bus::call_endpoint(site_->run_folder(), "coredinator"));
  ASSERT_TRUE(client);
  const auto call = [&] {
    return client->call<v1::HealthAnswer>("agent.Health", "agent.climate", v1::HealthRequest(), 2s);
  };
  ASSERT_TRUE(call());
  EXPECT_EQ(circuit("coredinator", "agent.climate"), "closed");
  ::kill(agent, SIGSTOP);
  // Two answers that do not come; then nobody waits for a third, until coredinator kills who hangs.
  Result<v1::HealthAnswer> answer = fail(Errc::internal, "");
  Duration took{};
  ASSERT_TRUE(PilotSite::eventually(
      [&] {
        const auto before = steady_clock::now();
        answer = call();
        took = steady_clock::now() - before;
        return !answer && answer.error().code == Errc::disconnected;
      },
      20s))
      << site_->everything();
  EXPECT_LT(took, 500ms);
  EXPECT_NE(answer.error().message.find("agent.climate does not answer"), std::string::npos) << answer.error().message;
  ASSERT_TRUE(PilotSite::eventually([&] { return call().has_value(); }, 30s)) << site_->everything();
  EXPECT_NE(site_->role("agent.climate").pid(), agent);
  EXPECT_TRUE(PilotSite::eventually([&] { return circuit("coredinator", "agent.climate") == "closed"; }, 10s));
}

TEST_F(Circuits, the_way_to_a_plant_that_is_gone_shows_in_the_status) {
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_EQ(circuit("io", "plant"), "closed");
  site_->twin().signal(SIGKILL);
  site_->twin().wait(5s);
  EXPECT_TRUE(PilotSite::eventually([&] { return circuit("io", "plant") != "closed"; }, 30s)) << site_->everything();
  ASSERT_NO_FATAL_FAILURE(site_->start_twin());
  EXPECT_TRUE(PilotSite::eventually([&] { return circuit("io", "plant") == "closed"; }, 30s)) << site_->everything();
}

TEST_F(Circuits, an_agent_that_dies_again_and_again_is_left_to_its_fallback_until_a_person_starts_it) {
  ASSERT_NO_FATAL_FAILURE(start({.fallback = "grower"}));
  ASSERT_NO_FATAL_FAILURE(kill_on_and_on("agent.climate"));
  const v1::RoleState failed = site_->role("agent.climate");
  EXPECT_EQ(failed.state(), "failed");
  EXPECT_NE(failed.reason().find("died 11 times within 60 s, last by signal 9"), std::string::npos) << failed.reason();
  const TimePoint now = WallClock().now();
  EXPECT_TRUE(PilotSite::eventually(
      [&] {
        const auto decisions = site_->recorded(now);
        return std::ranges::any_of(decisions, [](const historian::Decision& decision) {
          return decision.origin == "fallback" &&
                 std::ranges::any_of(decision.outputs, &historian::DecisionOutput::written);
        });
      },
      20s))
      << site_->everything();
  EXPECT_EQ(site_->role("io").restarts(), 0U);
  said({"agent", "start"}, {"climate", "--yes", "--reason", "the memory was changed"});
  EXPECT_TRUE(PilotSite::eventually([&] { return site_->role("agent.climate").state() == "healthy"; }, 20s))
      << site_->everything();
}

TEST_F(Circuits, io_that_dies_again_and_again_ends_the_site_with_the_reason) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(kill_on_and_on("io"));
  EXPECT_EQ(site_->up().wait(30s), 1) << site_->everything();
  const auto summary = json::parse(site_->up().read_line(1s).value_or("{}"));
  EXPECT_EQ(summary["failed"], true);
  EXPECT_NE(summary.dump().find("io died 11 times within 60 s, last by signal 9"), std::string::npos) << summary;
}

}  // namespace
}  // namespace rltune
