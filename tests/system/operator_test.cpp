// The engineer's commands against a site that runs: every change passes the guard and shows on the plant.
#include "pilot_site.hpp"
#include "rltune/guard/guard.hpp"

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

class Operator : public ::testing::Test {
 protected:
  void start(testing::PilotOptions options) {
    options.lockstep = false;
    options.period_s = 0.1;
    site_ = std::make_unique<PilotSite>(options);
    ASSERT_NO_FATAL_FAILURE(site_->start());
    ASSERT_TRUE(
        // What the guard has not seen yet, it lets nobody write.
        PilotSite::eventually(
            [&] { return std::isfinite(site_->value("heating")) && site_->role("io").state() == "healthy"; }, 20s))
        << site_->everything();
  }

  // rltune site VERB FILE ... --run-folder ...
  Said run(const std::string& verb, std::vector<std::string> arguments) {
    std::vector<std::string> command{RLTUNE_BIN_DIR "/rltune", "site", verb, site_->site_file()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    if (verb != "storage" && verb != "check") command.insert(command.end(), {"--run-folder", site_->run_folder()});
    return call(command);
  }
  Said call(const std::vector<std::string>& command) {
    const std::string errors = site_->path("command.err");
    std::filesystem::remove(errors);
    ChildProcess child(command, errors);
    Said said;
    while (const auto line = child.read_line(20s)) said.out += *line + "\n";
    said.status = child.wait(20s).value_or(-1);
    said.err = read_file(errors).value_or("");
    return said;
  }

  std::unique_ptr<PilotSite> site_;
};

TEST_F(Operator, writes_through_the_guard_in_manual_mode_alone) {
  ASSERT_NO_FATAL_FAILURE(start({.edits = {{"safe_value: 0\n", "safe_value: 0\n      step_max: 0.3\n"}}}));
  EXPECT_EQ(json::parse(run("mode", {"manual", "--json"}).out)["mode"], "manual");
  const Said said = run("write", {"heating", "60", "--yes", "--json", "--reason", "frost"});
  ASSERT_EQ(said.status, 0) << said.err;
  const json accepted = json::parse(said.out);
  EXPECT_EQ(accepted["action"], "accepted");
  EXPECT_EQ(accepted["verified"], true);
  EXPECT_EQ(site_->plant_value("heating"), 60.0);
  const json clamped = json::parse(run("write", {"heating", "400", "--yes", "--json"}).out);
  EXPECT_EQ(clamped["action"], "clamped");
  EXPECT_NE(clamped["reasons"].get<std::string>().find("limit_high"), std::string::npos);
  EXPECT_EQ(site_->plant_value("heating"), clamped["applied"].get<double>());
  EXPECT_LE(site_->plant_value("heating"), 150.0);

  EXPECT_EQ(run("mode", {"automatic", "--yes"}).status, 0);
  const Said denied = run("write", {"heating", "60", "--yes"});
  EXPECT_EQ(denied.status, 1);
  EXPECT_NE(denied.err.find("manual"), std::string::npos) << denied.err;
}

TEST_F(Operator, hold_stops_every_write_until_the_mode_changes) {
  ASSERT_NO_FATAL_FAILURE(start({}));
  ASSERT_TRUE(site_->decides(5)) << site_->everything();
  ASSERT_EQ(run("hold", {"--reason", "the vents make a noise"}).status, 0);
  const double heating = site_->plant_value("heating"), ventilation = site_->plant_value("ventilation");
  ASSERT_TRUE(site_->decides(10)) << "decisions are judged and recorded all the same";
  EXPECT_EQ(site_->plant_value("heating"), heating);
  EXPECT_EQ(site_->plant_value("ventilation"), ventilation);
  EXPECT_EQ(json::parse(run("status", {"--json"}).out)["mode"], "manual");
  ASSERT_EQ(run("mode", {"auto", "--yes"}).status, 0);
  const auto accepted = [&] { return json::parse(run("status", {"--json"}).out)["verdicts"].value("accepted", 0); };
  const int before = accepted();
  EXPECT_TRUE(PilotSite::eventually([&] { return accepted() > before; }, 10s));
}

TEST_F(Operator, automatic_mode_is_refused_to_a_policy_that_failed_its_validation) {
  ASSERT_NO_FATAL_FAILURE(start({.mode = "shadow", .validated = false}));
  ASSERT_TRUE(site_->decides(5)) << site_->everything();
  const Said said = run("mode", {"automatic", "--yes"});
  EXPECT_EQ(said.status, 1);
  EXPECT_NE(said.err.find("validation"), std::string::npos) << said.err;
  EXPECT_EQ(json::parse(run("status", {"--json"}).out)["mode"], "shadow");
}

TEST_F(Operator, the_mode_survives_a_crash_of_io) {
  ASSERT_NO_FATAL_FAILURE(start({}));
  ASSERT_EQ(run("mode", {"manual"}).status, 0);
  const pid_t io = site_->role("io").pid();
  ::kill(io, SIGKILL);
  ASSERT_TRUE(PilotSite::eventually(
      [&] {
        const auto role = site_->role("io");
        return role.pid() != io && role.state() == "healthy";
      },
      20s))
      << site_->everything();
  EXPECT_EQ(json::parse(run("mode", {"--json"}).out)["mode"], "manual");
}

TEST_F(Operator, every_action_stands_in_the_audit_log) {
  ASSERT_NO_FATAL_FAILURE(start({.mode = "manual"}));
  const Said written = run("write", {"heating", "60", "--yes", "--reason", "frost"});
  ASSERT_EQ(written.status, 0) << written.out << written.err;
  ASSERT_EQ(run("mode", {"automatic", "--yes", "--reason", "it is warm again"}).status, 0);
  ASSERT_EQ(run("write", {"heating", "70", "--yes"}).status, 1);
  ASSERT_EQ(run("status", {"--tags"}).status, 0);
  const pid_t io = site_->role("io").pid();
  ::kill(io, SIGKILL);
  ASSERT_TRUE(PilotSite::eventually(
      [&] {
        const auto role = site_->role("io");
        return role.pid() != io && role.state() == "healthy";
      },
      20s))
      << site_->everything();
  ASSERT_EQ(run("hold", {"--reason", "the vents make a noise"}).status, 0);

  const std::string data = site_->path("site/data");
  const auto lines = [&](const std::string& action) {
    return json::parse(
        call({RLTUNE_BIN_DIR "/rltune", "audit", "log", data, "--action", action, "--json"}).out)["lines"];
  };
  ASSERT_TRUE(PilotSite::eventually([&] { return lines("mode.change").size() == 2; }, 10s)) << lines("mode");
  const json writes = lines("setpoint.write");
  ASSERT_EQ(writes.size(), 2U);
  EXPECT_EQ(writes[0]["reason"], "frost");
  EXPECT_EQ(writes[0]["details"]["verified"], "yes");
  EXPECT_FALSE(writes[0]["correlation"].get<std::string>().empty());
  EXPECT_NE(writes[1]["details"]["refused"].get<std::string>().find("automatic mode"), std::string::npos);
  EXPECT_EQ(lines("mode.change")[1]["details"]["to"], "manual");
  EXPECT_EQ(lines("tags.read").size(), 1U);
  EXPECT_EQ(lines("role.start").size(), 3U) << "io twice, the agent once";
  const auto verify = [&] {
    return call({RLTUNE_BIN_DIR "/rltune", "audit", "verify", data, "--heads", site_->path("heads"), "--json"});
  };
  ASSERT_EQ(call({RLTUNE_BIN_DIR "/rltune", "audit", "heads", data, "--to", site_->path("heads")}).status, 0);
  const Said good = verify();
  EXPECT_EQ(good.status, 0) << good.out;
  EXPECT_EQ(json::parse(good.out)["key_from"], site_->path("heads/key.pub"));
}

TEST_F(Operator, status_and_storage_tell_of_what_runs) {
  ASSERT_NO_FATAL_FAILURE(start({}));
  ASSERT_TRUE(site_->decides(20)) << site_->everything();
  const json status = json::parse(run("status", {"--json"}).out);
  EXPECT_EQ(status["link"]["state"], "connected");
  EXPECT_EQ(status["agents"], "alive");
  EXPECT_GE(status["decisions"], 20);
  EXPECT_NE(run("status", {"--tags"}).out.find("air_temperature"), std::string::npos);
  ASSERT_TRUE(PilotSite::eventually([&] { return run("storage", {}).status == 0; }, 10s));
  EXPECT_GT(json::parse(run("storage", {"--json"}).out)["bytes"], 0);
}

TEST_F(Operator, a_draft_made_from_the_plant_passes_the_check) {
  ASSERT_NO_FATAL_FAILURE(start({}));
  const json& twin = site_->twin_ready();
  std::filesystem::create_directories(site_->path("draft"));
  const std::string out = site_->path("draft/site.yaml");
  const Said said = call({RLTUNE_BIN_DIR "/rltune", "site", "init", "--opcua", twin["url"], "--pki",
                          site_->path("site/pki"), "--server-uri", twin["application_uri"], "--user", twin["user"],
                          "--password-file", twin["password_file"], "--out", out, "--json"});
  ASSERT_EQ(said.status, 0) << said.err;
  EXPECT_EQ(json::parse(said.out)["outputs"], 3);
  const Said checked = call({RLTUNE_BIN_DIR "/rltune", "site", "check", out, "--json"});
  EXPECT_EQ(checked.status, 0) << checked.out;
  const json report = json::parse(checked.out);
  EXPECT_EQ(report["outputs"].size(), 3U);
  EXPECT_EQ(report["mode"], "shadow");
  const std::string text = read_file(out).value_or("");
  EXPECT_NE(text.find("unit: 'degC'"), std::string::npos) << text;
  EXPECT_NE(text.find("role: forecast"), std::string::npos) << text;
}

TEST_F(Operator, an_output_that_the_control_room_takes_is_left_alone_and_not_learned_from) {
  const TemporaryFolder room;
  const std::string modes = (room.path() / "modes").string();
  ASSERT_TRUE(write_file(modes, ""));
  ASSERT_NO_FATAL_FAILURE(start(
      {.twin_arguments = {"--dcs-file", modes},
       .edits = {
           {"agents:\n",
            "  - name: heating_mode\n    node: nsu=urn:rltune:twin:lettuce;s=heating_mode\n    role: mode\nagents:\n"},
           {"- tag: heating\n", "- tag: heating\n      mode_tag: heating_mode\n      mode_remote: [1]\n"}}}));
  const auto heating = [](const historian::Decision& decision) {
    return *std::ranges::find(decision.outputs, "heating", &historian::DecisionOutput::tag);
  };
  const auto set_mode = [&](int mode) {
    EXPECT_TRUE(write_file(modes, std::format("heating_mode: {}\n", mode)));
    EXPECT_TRUE(PilotSite::eventually([&] { return site_->read("heating_mode") == mode; }, 10s));
    return WallClock().now();
  };
  ASSERT_TRUE(site_->decides(10)) << site_->everything();
  const TimePoint taken = set_mode(0);
  ASSERT_TRUE(site_->decides(15)) << site_->everything();
  const TimePoint returning = WallClock().now(), given_back = set_mode(1);
  ASSERT_TRUE(site_->decides(15)) << site_->everything();

  std::size_t ours = 0, theirs = 0, ours_again = 0;
  for (const historian::Decision& decision : site_->recorded()) {
    const historian::DecisionOutput output = heating(decision);
    if (decision.origin != "policy" || decision.mode != static_cast<std::uint32_t>(guard::Mode::automatic)) continue;
    // The change travels within a publishing interval and acts on the next decision; the rest is for a busy machine.
    if (decision.wall_time > taken + 250ms && decision.wall_time < returning) {
      ++theirs;
      EXPECT_FALSE(output.written) << to_seconds(decision.wall_time - taken) << " s after";
      EXPECT_EQ(output.reasons & static_cast<std::uint32_t>(guard::Reason::dcs_took_over),
                static_cast<std::uint32_t>(guard::Reason::dcs_took_over));
      EXPECT_FALSE(decision.learnable) << decision.id;
      EXPECT_TRUE(std::ranges::any_of(decision.outputs, &historian::DecisionOutput::written)) << "the others stay ours";
    } else if (decision.wall_time > given_back + 200ms) {
      ours_again += output.written && decision.learnable ? 1 : 0;
    } else if (decision.wall_time < taken - 200ms) {
      ours += output.written && decision.learnable ? 1 : 0;
    }
  }
  EXPECT_GE(ours, 5U);
  EXPECT_GE(theirs, 5U);
  EXPECT_GE(ours_again, 5U);
}

// The same agent on a plant whose server shares no code with ours.
TEST_F(Operator, drives_a_plant_made_with_another_projects_library) {
  if (!std::filesystem::exists(RLTUNE_SOURCE_DIR "/tests/peers/node_modules/node-opcua"))
    GTEST_SKIP() << "the npm packages of tests/peers are not installed; ./dev build fetches them";
  ASSERT_NO_FATAL_FAILURE(start({.peer = true}));
  ASSERT_TRUE(site_->decides(20)) << site_->everything();
  const json before = json::parse(run("status", {"--json"}).out);
  EXPECT_GT(before["verdicts"].value("accepted", 0), 30) << before.dump(1);
  EXPECT_EQ(before["link"]["reconnects"], 0);
  EXPECT_NE(site_->plant_value("heating"), 50.0);
  const double alive = site_->plant_value("guard_alive");
  EXPECT_TRUE(PilotSite::eventually([&] { return site_->plant_value("guard_alive") > alive; }, 10s));
  ASSERT_EQ(run("mode", {"manual"}).status, 0);
  const json written = json::parse(run("write", {"ventilation", "3.5", "--yes", "--json"}).out);
  EXPECT_EQ(written["verified"], true) << written.dump(1);
  EXPECT_EQ(site_->plant_value("ventilation"), 3.5);
  EXPECT_TRUE(site_->peer_record().ends_with("ventilation 3.5\n") ||
              site_->peer_record().find("ventilation 3.5\nguard_alive") != std::string::npos)
      << site_->peer_record();
}

TEST(Examples, the_lettuce_site_is_valid) {
  ChildProcess check({RLTUNE_BIN_DIR "/rltune", "site", "check", RLTUNE_SOURCE_DIR "/examples/lettuce-site/site.yaml"});
  EXPECT_NE(check.read_line(20s).value_or("").find("is valid"), std::string::npos);
  EXPECT_EQ(check.wait(20s), 0);
}

}  // namespace
}  // namespace rltune
