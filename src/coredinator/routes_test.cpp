#include "routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rltune/bus/bus.hpp"

namespace rltune::coredinator {
namespace {

AgentRecord climate(double canary_percent) {
  Version first, second;
  first.version = kFirstVersion;
  first.state = VersionState::active;
  second.version = "2.0.0";
  second.artifact_sha256 = "abc";
  second.state = canary_percent > 0.0 ? VersionState::canary : VersionState::shadow;
  second.traffic.canary_percent = {canary_percent};
  return {.id = "climate", .versions = {first, second}};
}

Planned role(const std::string& name) {
  Planned planned;
  planned.spec.set_name(name);
  return planned;
}

const std::string kRun = "/run/rltune";
const std::string kActive = bus::call_endpoint(kRun, "agent.climate");
const std::string kCanary = bus::call_endpoint(kRun, "agent.climate@2.0.0");

TEST(Routes, a_target_is_a_role_or_an_agents_id) {
  const Routes routes({climate(0.0)}, {role("io"), role("agent.climate")}, kRun);
  EXPECT_EQ(routes.find("io", "").value_or(""), bus::call_endpoint(kRun, "io"));
  EXPECT_EQ(routes.find("coredinator.records", "").value_or(""), bus::call_endpoint(kRun, "coredinator.records"));
  EXPECT_EQ(routes.find("io.records", "").value_or(""), bus::call_endpoint(kRun, "io.records"));
  EXPECT_EQ(routes.find("climate", "x").value_or(""), kActive);
  EXPECT_EQ(routes.find("agent.climate", "x").value_or(""), kActive);
  const auto unknown = routes.find("nonsense", "");
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, testing::HasSubstr("agent.climate"));
}

TEST(Routes, who_calls_an_agent_that_is_stopped_is_told_at_once) {
  AgentRecord stopped = climate(0.0);
  stopped.running = false;
  EXPECT_EQ(Routes({stopped}, {role("io")}, kRun).find("climate", "x").error().code, Errc::mismatch);
}

TEST(Routes, a_canary_answers_its_share_and_a_conversation_stays_with_one_instance) {
  const Routes routes({climate(20.0)}, {role("io")}, kRun);
  int canary = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = "call-" + std::to_string(i);
    const std::string first = routes.find("climate", id).value_or("");
    ASSERT_TRUE(first == kActive || first == kCanary);
    canary += first == kCanary ? 1 : 0;
    ASSERT_EQ(routes.find("climate", id).value_or(""), first);
  }
  EXPECT_NEAR(canary, 2000, 200);
  EXPECT_EQ(routes.find("climate", "").value_or(""), kActive) << "without an id nothing is sticky";
}

TEST(Routes, who_was_in_a_smaller_share_stays_in_the_larger_one) {
  const Routes small({climate(10.0)}, {}, kRun), large({climate(50.0)}, {}, kRun);
  for (int i = 0; i < 1000; ++i) {
    const std::string id = std::to_string(i);
    if (small.find("climate", id).value_or("") != kCanary) continue;
    EXPECT_EQ(large.find("climate", id).value_or(""), kCanary) << id;
  }
}

}  // namespace
}  // namespace rltune::coredinator
