#include "config_operations.hpp"

#include <gmock/gmock.h>

#include "gateway_fixture.hpp"

namespace rltune::gateway {
namespace {

using ConfigOperations = GatewayTest;

TEST_F(ConfigOperations, a_change_is_asked_for_in_the_callers_name_and_for_four_eyes) {
  const json change{{"text", "schema: rltune/site/v2"}, {"reason", "colder"}};
  const HttpAnswer answer = call("POST /api/v1/config/changes", token("engineer"), change.dump());
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(json::parse(answer.body)["state"], "under_way");
  EXPECT_EQ(coredinator_.changed(), "engineer four_eyes: colder");
  EXPECT_EQ(call("POST /api/v1/config/changes", token("admin"), change.dump()).status, 200);
  EXPECT_EQ(coredinator_.changed(), "admin four_eyes users: colder");
  const json restore{{"version", "HEAD~1"}, {"reason", "as it was "}};
  EXPECT_EQ(call("POST /api/v1/config/restores", token("engineer"), restore.dump()).status, 200);
  EXPECT_EQ(coredinator_.changed(), "engineer four_eyes: as it was HEAD~1");
}

TEST_F(ConfigOperations, a_proposal_is_answered_in_the_callers_name) {
  const std::string path = "POST /api/v1/config/proposals/p1/answers";
  EXPECT_EQ(call(path, token("engineer"), R"({"verb":"agree","reason":"seen"})").status, 200);
  EXPECT_EQ(coredinator_.changed(), "engineer agrees to p1");
  EXPECT_EQ(call(path, token("admin"), R"({"verb":"refuse","reason":"no"})").status, 200);
  EXPECT_EQ(coredinator_.changed(), "admin refuses p1, users too");
  EXPECT_EQ(call(path, token("admin"), R"({"verb":"perhaps","reason":"no"})").status, 422);
  EXPECT_EQ(json::parse(call("GET /api/v1/config/proposals", token("operator")).body)["proposals"][0]["id"], "p1");
}

TEST_F(ConfigOperations, a_plan_says_what_is_wrong_or_what_would_change) {
  const std::string shown = token("operator");
  const HttpAnswer wrong = call("POST /api/v1/config/plans", shown, R"({"text":"wrong"})");
  ASSERT_EQ(wrong.status, 200) << wrong.body;
  EXPECT_EQ(json::parse(wrong.body)["faults"][0]["message"], "no mapping");
  const json good = json::parse(call("POST /api/v1/config/plans", shown, R"({"text":"good"})").body);
  EXPECT_EQ(good["file"], "site.yaml");
  EXPECT_EQ(good["loosens"][0], "guard.mode");
}

TEST_F(ConfigOperations, files_and_versions_are_read) {
  const std::string shown = token("operator");
  EXPECT_EQ(json::parse(call("GET /api/v1/config", shown).body)["files"][0]["name"], "site.yaml");
  EXPECT_EQ(json::parse(call("GET /api/v1/config/versions/0a1b", shown).body)["version"], "0a1b");
  const json versions = json::parse(call("GET /api/v1/config/versions", shown).body)["versions"];
  EXPECT_EQ(versions[0]["made"], "2023-11-14T22:13:20Z");
  EXPECT_EQ(json::parse(call("GET /api/v1/config/state", shown).body)["state"], "applied");
}

TEST_F(ConfigOperations, certificates_are_listed_with_the_days_that_are_left) {
  const json listed = json::parse(call("GET /api/v1/certificates", token("operator")).body)["certificates"];
  EXPECT_NEAR(listed[0]["days_left"].get<double>(), 10.0, 0.01);
  EXPECT_FALSE(listed[1].contains("days_left"));
  EXPECT_EQ(listed[1]["trouble"], "there is no certificate in it");
}

TEST_F(ConfigOperations, keys_are_rotated_on_demand_and_no_token_is_wrong_for_it) {
  const std::string admin = token("admin");
  const json before = json::parse(call("GET /api/v1/keys", admin).body)["keys"];
  const HttpAnswer rotated = call("POST /api/v1/keys/rotations", admin, R"({"reason":"a rehearsal"})");
  ASSERT_EQ(rotated.status, 200) << rotated.body;
  EXPECT_EQ(json::parse(rotated.body)["keys"].size(), before.size() + 1);
  EXPECT_EQ(call("GET /api/v1/account", admin).status, 200);
  EXPECT_EQ(call("GET /api/v1/account", token("admin")).status, 200);
  EXPECT_THAT(events(), ::testing::Contains("rotated admin a rehearsal"));
}

}  // namespace
}  // namespace rltune::gateway
