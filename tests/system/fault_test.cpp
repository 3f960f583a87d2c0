// What a running site does when the world fails: the plant hangs, dies or lies, a process is lost or hung, papers are
// not in order. Each is a named error, and nothing unsafe is written.
#include "pilot_site.hpp"
#include "rltune/guard/guard.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using testing::PilotOptions;
using testing::PilotSite;

// When things happened is judged by the times on record: a test that shares the machine looks late.
TimePoint now() { return WallClock().now(); }
double ms_between(TimePoint from, TimePoint to) { return 1e3 * to_seconds(to - from); }

bool gone(pid_t pid) { return ::kill(pid, 0) != 0; }

// A plant that never takes control itself: what moves its set-points came from outside.
PilotOptions wall(PilotOptions options = {}) {
  options.lockstep = false;
  options.period_s = 0.1;
  options.twin_arguments.insert(options.twin_arguments.end(), {"--shed-after", "0"});
  return options;
}

// Another proposal at every step, and rules of the site tighter than the plant's own.
PilotOptions restless(PilotOptions options = {}) {
  options.rule = testing::tight_rule;
  options.change_policy = testing::make_restless;
  options.twin_arguments.insert(options.twin_arguments.end(), {"--observation-noise", "0.05"});
  return wall(std::move(options));
}

// When something of such a decision was first written from a moment on.
std::optional<TimePoint> written(PilotSite& site, TimePoint from, const std::string& origin) {
  std::optional<TimePoint> found;
  PilotSite::eventually(
      [&] {
        std::this_thread::sleep_for(100ms);
        return (found = site.first_decision(from, origin, true)).has_value();
      },
      20s);
  return found;
}

std::uint64_t verdicts(PilotSite& site, const std::string& action) {
  const auto status = site.io_status();
  if (!status) return 0;
  const auto found = status->verdicts().find(action);
  return found == status->verdicts().end() ? 0 : found->second;
}

// ---- the plant ----------------------------------------------------------------------------------------

TEST(PlantFaults, a_hung_plant_is_noticed_within_the_limit_and_used_again_when_it_wakes) {
  PilotSite site(wall());
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(site.decides(10)) << site.everything();
  const TimePoint hung = site.twin().hang();
  std::optional<TimePoint> noticed;
  ASSERT_TRUE(
      PilotSite::eventually([&] { return (noticed = site.logged("io", "the plant is lost", hung)).has_value(); }, 10s))
      << site.log("io");
  std::printf("hung plant noticed after %.0f ms; the limit is 1000\n", ms_between(hung, *noticed));
  EXPECT_LT(ms_between(hung, *noticed), 1000.0);
  ASSERT_TRUE(
      PilotSite::eventually([&] { return site.link_reason().find("has said nothing for") != std::string::npos; }, 5s))
      << site.link_reason();
  // Decisions go on being judged, and nothing is written.
  const std::uint64_t accepted = verdicts(site, "accepted") + verdicts(site, "clamped");
  std::this_thread::sleep_for(500ms);
  EXPECT_EQ(verdicts(site, "accepted") + verdicts(site, "clamped"), accepted);
  const TimePoint woken = now();
  site.twin().signal(SIGCONT);
  const auto writing = written(site, woken, "policy");
  ASSERT_TRUE(writing) << site.everything();
  std::printf("writing again %.0f ms after it woke\n", ms_between(woken, *writing));
}

TEST(PlantFaults, values_flow_within_two_seconds_of_a_killed_plants_return) {
  PilotSite site(wall());
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(site.decides(10)) << site.everything();
  const TimePoint killed = now();
  site.twin().signal(SIGKILL);
  ASSERT_TRUE(PilotSite::eventually([&] { return site.logged("io", "the plant is lost", killed).has_value(); }, 5s));
  std::this_thread::sleep_for(2s);  // long enough for the waits between tries to grow
  ASSERT_NO_FATAL_FAILURE(site.start_twin());
  const TimePoint back = now();
  const auto writing = written(site, back, "policy");
  ASSERT_TRUE(writing) << site.everything();
  std::printf("writing again %.0f ms after the plant's return\n", ms_between(back, *writing));
  EXPECT_LT(ms_between(back, *writing), 2000.0);
}

// What a sensor may not say, and the word for it in the agent's health or the verdicts.
class SensorFaults : public ::testing::TestWithParam<const char*> {};

TEST_P(SensorFaults, stop_the_policy_and_never_reach_the_plant) {
  PilotSite site(restless({.twin_arguments = {"--test-faults"}}));
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(site.decides(10)) << site.everything();
  ASSERT_NO_FATAL_FAILURE(site.break_sensor(std::string("air_temperature ") + GetParam()));
  // The policy lacks an input: what stands is held.
  ASSERT_TRUE(PilotSite::eventually([&] { return verdicts(site, "held") > 0; }, 10s)) << site.everything();
  EXPECT_TRUE(PilotSite::eventually([&] { return site.log("agent.climate").contains("air_temperature is "); }, 10s))
      << site.log("agent.climate");
  const std::uint64_t accepted = verdicts(site, "accepted") + verdicts(site, "clamped");
  ASSERT_NO_FATAL_FAILURE(site.break_sensor("air_temperature none"));
  ASSERT_TRUE(
      PilotSite::eventually([&] { return verdicts(site, "accepted") + verdicts(site, "clamped") > accepted + 3; }, 10s))
      << site.everything();
  site.expect_rules_were_kept(5);
}

INSTANTIATE_TEST_SUITE_P(Kinds, SensorFaults, ::testing::Values("nan", "infinite", "bad_status", "wrong_type"));

// ---- processes ----------------------------------------------------------------------------------------

TEST(ProcessFaults, a_hung_agent_is_replaced_and_the_fallback_controller_runs_meanwhile) {
  PilotSite site(restless({.fallback = "grower"}));
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(site.decides(10)) << site.everything();
  const pid_t agent = site.role("agent.climate").pid();
  const TimePoint hung = now();
  ::kill(agent, SIGSTOP);
  const auto active = written(site, hung, "fallback");
  ASSERT_TRUE(active) << site.everything();
  std::printf("fallback controller active after %.0f ms; the limit is 700\n", ms_between(hung, *active));
  EXPECT_LT(ms_between(hung, *active), 700.0);
  ASSERT_TRUE(PilotSite::eventually(
      [&] {
        const auto role = site.role("agent.climate");
        return role.pid() != agent && role.state() == "healthy";
      },
      30s))
      << site.everything();
  EXPECT_TRUE(site.decides(3)) << site.everything();
  site.expect_rules_were_kept(5);
}

TEST(ProcessFaults, a_killed_learner_costs_the_loop_nothing_and_comes_back) {
  PilotSite site(restless({.learning = true}));
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(site.decides(10)) << site.everything();
  ASSERT_TRUE(PilotSite::eventually([&] { return site.role("learner.climate").state() == "healthy"; }, 20s))
      << site.everything();
  const pid_t agent = site.role("agent.climate").pid(), learner = site.role("learner.climate").pid();
  const std::uint64_t held = verdicts(site, "held"), decided = site.decisions();
  ::kill(learner, SIGKILL);
  ASSERT_TRUE(PilotSite::eventually([&] { return gone(learner); }, 5s));
  ASSERT_TRUE(PilotSite::eventually([&] { return site.decisions() >= decided + 20; }, 10s)) << site.everything();
  EXPECT_EQ(verdicts(site, "held"), held);
  EXPECT_EQ(site.role("agent.climate").pid(), agent);
  ASSERT_TRUE(PilotSite::eventually(
      [&] {
        const auto role = site.role("learner.climate");
        return role.pid() != learner && role.state() == "healthy";
      },
      20s))
      << site.everything();
  site.expect_rules_were_kept(20);
}

// ---- what a policy may not say ------------------------------------------------------------------------

// Open descriptors of a process that are no files of the site: sockets, pipes, what a thread is woken by.
std::size_t connections(pid_t pid) {
  std::size_t count = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(std::format("/proc/{}/fd", pid), ignored))
    count += std::filesystem::read_symlink(entry.path(), ignored).string().starts_with('/') ? 0 : 1;
  return count;
}

TEST(ProcessFaults, io_keeps_nothing_of_agents_that_died) {
  PilotSite site(wall());
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(site.decides(10)) << site.everything();
  const pid_t io = site.role("io").pid();
  std::size_t before = 0;
  for (int kill = 0; kill < 6; ++kill) {
    const pid_t agent = site.role("agent.climate").pid();
    ASSERT_GT(agent, 0);
    ::kill(agent, SIGKILL);
    ASSERT_TRUE(PilotSite::eventually(
        [&] {
          const auto role = site.role("agent.climate");
          return role.pid() != agent && role.state() == "healthy";
        },
        30s))
        << site.everything();
    if (kill == 0) before = connections(io);  // with one that died, and its successor
  }
  EXPECT_GT(before, 0U);
  EXPECT_EQ(site.role("io").pid(), io);
  EXPECT_TRUE(PilotSite::eventually([&] { return connections(io) <= before; }, 5s))
      << before << " before, now " << connections(io);
}

TEST(PolicyFaults, a_policy_that_overflows_is_a_named_fault_and_writes_nothing) {
  PilotSite site(wall({.change_policy = [](policy::Artifact& artifact) {
    for (nn::DenseLayer& layer : artifact.network.layers)
      for (float& weight : layer.weight) weight *= 1e30F;
  }}));
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(PilotSite::eventually([&] { return verdicts(site, "held") > 3; }, 30s)) << site.everything();
  EXPECT_EQ(verdicts(site, "accepted") + verdicts(site, "clamped"), 0U);
  EXPECT_NE(site.log("agent.climate").find("what the policy computes is not finite"), std::string::npos)
      << site.log("agent.climate");
  site.expect_nothing_was_written();
}

// An agent that is broken beyond its own checks: whatever reaches io, the guard lets nothing unsafe through.
class Proposals : public ::testing::TestWithParam<double> {};

TEST_P(Proposals, that_are_no_numbers_are_refused_by_name_and_never_reach_the_plant) {
  PilotSite site(wall({.mode = "shadow"}));
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(site.decides(5)) << site.everything();
  ::kill(site.role("agent.climate").pid(), SIGSTOP);
  v1::ModeRequest mode;
  mode.set_mode("automatic");
  ASSERT_TRUE((site.ask<v1::ModeAnswer>("io", "io.Mode", mode)));
  v1::Proposal proposal;
  proposal.set_agent("climate");
  for (int i = 0; i < 3; ++i) proposal.add_values(GetParam());
  const auto event = site.ask<v1::DecisionEvent>("io", "io.Propose", proposal);
  ASSERT_TRUE(event) << event.error().message;
  ASSERT_EQ(event->outputs_size(), 3);
  for (const v1::OutputVerdict& verdict : event->outputs()) {
    EXPECT_EQ(verdict.action(), static_cast<std::uint32_t>(guard::Action::held)) << verdict.tag();
    EXPECT_NE(guard::describe(verdict.reasons()).find("not_finite"), std::string::npos)
        << guard::describe(verdict.reasons());
    EXPECT_FALSE(verdict.written()) << verdict.tag();
  }
  site.expect_nothing_was_written();
}

INSTANTIATE_TEST_SUITE_P(Values, Proposals,
                         ::testing::Values(std::numeric_limits<double>::quiet_NaN(),
                                           std::numeric_limits<double>::infinity(),
                                           -std::numeric_limits<double>::infinity()));

// ---- papers -------------------------------------------------------------------------------------------

// The site starts, is refused for `reason`, says so in its log, and decides nothing.
void is_refused_for(PilotSite& site, const std::string& reason) {
  ASSERT_TRUE(PilotSite::eventually([&] { return site.link_reason().find(reason) != std::string::npos; }, 20s))
      << "said: " << site.link_reason() << "\n"
      << site.everything();
  EXPECT_TRUE(PilotSite::eventually([&] { return site.log("io").find(reason) != std::string::npos; }, 5s))
      << site.log("io");
  EXPECT_EQ(site.decisions(), 0U);
  std::this_thread::sleep_for(1s);  // time for what may not come
}

// And the twin has got nothing: no set-point, no heartbeat.
void is_refused(PilotSite& site, const std::string& reason) {
  is_refused_for(site, reason);
  site.expect_nothing_was_written();
  EXPECT_EQ(site.read("guard_alive"), 0.0);
}

TEST(Refusals, a_wrong_password) {
  PilotSite site(wall({.edits = {{"password_file: ", "password_file: wrong.txt #"}}}));
  ASSERT_TRUE(write_secret_file(site.path("site/wrong.txt"), "guess\n"));
  ASSERT_NO_FATAL_FAILURE(site.start());
  is_refused(site, "BadUserAccessDenied");
}

TEST(Refusals, a_server_whose_certificate_is_not_trusted) {
  PilotSite site(wall());
  ASSERT_NO_FATAL_FAILURE(site.start_twin());
  ASSERT_NO_FATAL_FAILURE(site.write_site());
  std::filesystem::remove_all(site.path("site/pki/trusted"));
  site.start_up();
  is_refused(site, "not trusted");
}

TEST(Refusals, a_server_of_another_application) {
  PilotSite site(wall({.edits = {{"server_application_uri: ", "server_application_uri: urn:somebody:else #"}}}));
  ASSERT_NO_FATAL_FAILURE(site.start());
  is_refused(site, "urn:somebody:else");
}

// The server says it is the configured one, we trust its certificate, and the certificate names another application.
TEST(Refusals, a_server_whose_certificate_is_another_applications) {
  if (!std::filesystem::exists(RLTUNE_SOURCE_DIR "/tests/peers/node_modules/node-opcua"))
    GTEST_SKIP() << "the npm packages of tests/peers are not installed; ./dev build fetches them";
  PilotSite site(wall({.peer = true, .peer_certificate_uri = "urn:somebody:else"}));
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_EQ(site.twin_ready()["application_uri"], "urn:rltune:peer:server");
  is_refused_for(site, "names the application 'urn:somebody:else'");
  EXPECT_EQ(site.peer_record(), "") << "the peer was written to";
}

TEST(Refusals, a_server_whose_certificate_has_expired) {
  PilotSite site(wall());
  ASSERT_NO_FATAL_FAILURE(site.start_twin());
  // The same application, with a certificate that ends in two seconds: the twin still starts with it.
  const auto ends_soon = WallClock().now() - std::chrono::days(1) + 3s;
  const auto identity = plant::make_identity(
      {.application_uri = site.twin_ready()["application_uri"].get<std::string>(), .days = 1}, ends_soon);
  ASSERT_TRUE(identity) << identity.error().message;
  ASSERT_TRUE(write_file(site.path("server/own/cert.der"), identity->certificate));
  ASSERT_TRUE(write_secret_file(site.path("server/own/key.der"), identity->key));
  ASSERT_NO_FATAL_FAILURE(site.start_twin());
  ASSERT_NO_FATAL_FAILURE(site.write_site());
  std::this_thread::sleep_until(std::chrono::system_clock::now() + 4s);
  site.start_up();
  is_refused(site, "expired");
}

TEST(Refusals, a_tag_that_the_server_has_not) {
  PilotSite site(wall({.edits = {{"s=air_temperature", "s=air_temprature"}}}));
  ASSERT_NO_FATAL_FAILURE(site.start());
  is_refused(site, "air_temprature");
}

TEST(Refusals, a_tag_of_a_type_that_is_no_number) {
  PilotSite site(wall({.twin_arguments = {"--test-faults"}, .edits = {{"s=air_temperature", "s=test_fault"}}}));
  ASSERT_NO_FATAL_FAILURE(site.start());
  is_refused(site, "air_temperature");
}

TEST(Refusals, a_unit_that_differs_names_both) {
  PilotSite site(wall({.edits = {{"unit: \"degC\"", "unit: \"K\""}}}));
  ASSERT_NO_FATAL_FAILURE(site.start());
  is_refused(site, "degC");
}

}  // namespace
}  // namespace rltune
