// What a running site does when the world fails: the plant hangs, dies or lies, a process is lost or hung, papers are
// not in order. Each is a named error, and nothing unsafe is written.
#include "pilot_site.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::PilotOptions;
using testing::PilotSite;

double ms_since(steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(steady_clock::now() - start).count();
}

bool gone(pid_t pid) { return ::kill(pid, 0) != 0; }

PilotOptions wall(PilotOptions options = {}) {
  options.lockstep = false;
  options.period_s = 0.1;
  return options;
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
  const auto hung = steady_clock::now();
  site.twin().signal(SIGSTOP);
  ASSERT_TRUE(PilotSite::eventually(
      [&] {
        const auto status = site.io_status();
        return status && status->link_state() != "connected";
      },
      5s));
  const double ms = ms_since(hung);
  std::printf("hung plant noticed after %.0f ms; the limit is 1000\n", ms);
  EXPECT_LT(ms, 1500.0);
  EXPECT_NE(site.link_reason().find("has said nothing for"), std::string::npos) << site.link_reason();
  // Decisions go on being judged, and nothing is written.
  const std::uint64_t accepted = verdicts(site, "accepted") + verdicts(site, "clamped");
  std::this_thread::sleep_for(500ms);
  EXPECT_EQ(verdicts(site, "accepted") + verdicts(site, "clamped"), accepted);
  const auto woken = steady_clock::now();
  site.twin().signal(SIGCONT);
  ASSERT_TRUE(
      PilotSite::eventually([&] { return verdicts(site, "accepted") + verdicts(site, "clamped") > accepted; }, 20s))
      << site.everything();
  std::printf("writing again %.0f ms after it woke\n", ms_since(woken));
}

TEST(PlantFaults, values_flow_within_two_seconds_of_a_killed_plants_return) {
  PilotSite site(wall());
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(site.decides(10)) << site.everything();
  site.twin().signal(SIGKILL);
  ASSERT_TRUE(PilotSite::eventually(
      [&] {
        const auto status = site.io_status();
        return status && status->link_state() != "connected";
      },
      5s));
  std::this_thread::sleep_for(2s);  // long enough for the waits between tries to grow
  ASSERT_NO_FATAL_FAILURE(site.start_twin());
  const auto back = steady_clock::now();
  const std::uint64_t written = verdicts(site, "accepted") + verdicts(site, "clamped");
  ASSERT_TRUE(
      PilotSite::eventually([&] { return verdicts(site, "accepted") + verdicts(site, "clamped") > written; }, 20s))
      << site.everything();
  const double ms = ms_since(back);
  std::printf("writing again %.0f ms after the plant's return\n", ms);
  EXPECT_LT(ms, 2000.0);
}

// What a sensor may not say, and the word for it in the agent's health or the verdicts.
class SensorFaults : public ::testing::TestWithParam<const char*> {};

TEST_P(SensorFaults, stop_the_policy_and_never_reach_the_plant) {
  PilotSite site(wall({.twin_arguments = {"--test-faults"}}));
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(site.decides(10)) << site.everything();
  ASSERT_NO_FATAL_FAILURE(site.break_sensor(std::string("air_temperature ") + GetParam()));
  // The policy lacks an input: what stands is held.
  ASSERT_TRUE(PilotSite::eventually([&] { return verdicts(site, "held") > 0; }, 10s)) << site.everything();
  EXPECT_NE(site.log("agent.climate").find("air_temperature is "), std::string::npos) << site.log("agent.climate");
  for (const char* output : {"heating", "ventilation", "co2_supply"})
    EXPECT_TRUE(std::isfinite(site.plant_value(output))) << output;
  const std::uint64_t accepted = verdicts(site, "accepted") + verdicts(site, "clamped");
  ASSERT_NO_FATAL_FAILURE(site.break_sensor("air_temperature none"));
  ASSERT_TRUE(
      PilotSite::eventually([&] { return verdicts(site, "accepted") + verdicts(site, "clamped") > accepted + 3; }, 10s))
      << site.everything();
}

INSTANTIATE_TEST_SUITE_P(Kinds, SensorFaults, ::testing::Values("nan", "infinite", "bad_status", "wrong_type"));

// ---- processes ----------------------------------------------------------------------------------------

TEST(ProcessFaults, a_hung_agent_is_replaced_and_the_fallback_controller_runs_meanwhile) {
  PilotSite site(wall({.fallback = "grower"}));
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(site.decides(10)) << site.everything();
  const pid_t agent = site.role("agent.climate").pid();
  const auto hung = steady_clock::now();
  ::kill(agent, SIGSTOP);
  ASSERT_TRUE(PilotSite::eventually([&] { return verdicts(site, "fallback") > 0; }, 10s)) << site.everything();
  const double ms = ms_since(hung);
  std::printf("fallback controller active after %.0f ms; the limit is 700\n", ms);
  EXPECT_LT(ms, 1500.0);
  ASSERT_TRUE(PilotSite::eventually(
      [&] {
        const auto role = site.role("agent.climate");
        return role.pid() != agent && role.state() == "healthy";
      },
      30s))
      << site.everything();
  EXPECT_TRUE(site.decides(3)) << site.everything();
}

TEST(ProcessFaults, a_killed_learner_costs_the_loop_nothing_and_comes_back) {
  PilotSite site(wall({.learning = true}));
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
}

TEST(ProcessFaults, a_policy_that_overflows_is_a_named_fault_and_writes_nothing) {
  PilotSite site(wall({.change_policy = [](policy::Artifact& artifact) {
    for (nn::DenseLayer& layer : artifact.network.layers)
      for (float& weight : layer.weight) weight *= 1e30F;
  }}));
  ASSERT_NO_FATAL_FAILURE(site.start());
  ASSERT_TRUE(PilotSite::eventually([&] { return verdicts(site, "held") > 3; }, 30s)) << site.everything();
  EXPECT_EQ(verdicts(site, "accepted") + verdicts(site, "clamped"), 0U);
  EXPECT_NE(site.log("agent.climate").find("what the policy computes is not finite"), std::string::npos)
      << site.log("agent.climate");
}

// ---- papers -------------------------------------------------------------------------------------------

// The site starts, is refused for `reason`, and the plant keeps its set-points.
void is_refused(PilotSite& site, const std::string& reason) {
  ASSERT_TRUE(PilotSite::eventually([&] { return site.link_reason().find(reason) != std::string::npos; }, 20s))
      << "said: " << site.link_reason() << "\n"
      << site.everything();
  EXPECT_TRUE(PilotSite::eventually([&] { return site.log("io").find(reason) != std::string::npos; }, 5s))
      << site.log("io");
  EXPECT_EQ(site.decisions(), 0U);
}

TEST(Refusals, a_wrong_password) {
  PilotSite site(wall({.edits = {{"password_file: ", "password_file: wrong.txt #"}}}));
  ASSERT_TRUE(write_secret_file(site.path("site/wrong.txt"), "guess\n"));
  ASSERT_NO_FATAL_FAILURE(site.start());
  is_refused(site, "BadUserAccessDenied");
  EXPECT_EQ(site.plant_value("heating"), 50.0);
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
  EXPECT_EQ(site.plant_value("heating"), 50.0);
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
