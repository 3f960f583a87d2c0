#include "policy_operations.hpp"

#include <gmock/gmock.h>

#include <limits>

#include "gateway_fixture.hpp"

namespace rltune::gateway {
namespace {

class PolicyOperations : public GatewayTest {
 protected:
  void SetUp() override {
    v1::PolicyInfo& policy = *library_.policy.mutable_policy();
    policy.set_sha256(std::string(64, 'a'));
    policy.set_name("spring");
    policy.set_created("2026-01-02T03:04:05Z");
    policy.add_folders("policies/spring");
    policy.set_passed(true);
    policy.set_seed(std::numeric_limits<std::uint64_t>::max());
    GatewayTest::SetUp();
    viewer_ = token("viewer");
  }
  json get(const std::string& path, int status = 200) {
    const HttpAnswer answer = call("GET /api/v1/policies" + path, viewer_);
    EXPECT_EQ(answer.status, status) << path << answer.body;
    return json::parse(answer.body, nullptr, false);
  }

  std::string viewer_;
};

TEST_F(PolicyOperations, all_are_listed_and_a_damaged_one_says_so) {
  const json list = get("");
  EXPECT_EQ(asked(), "records.Policies coredinator.records by viewer");
  ASSERT_EQ(list["policies"].size(), 2U);
  EXPECT_EQ(list["policies"][0]["sha256"], std::string(64, 'a'));
  EXPECT_EQ(list["policies"][0]["folders"], json({"policies/spring"}));
  EXPECT_EQ(list["policies"][0]["created"], "2026-01-02T03:04:05Z");
  EXPECT_FALSE(list["policies"][0].contains("trouble"));
  EXPECT_FALSE(list["policies"][1].contains("sha256"));
  EXPECT_TRUE(list["policies"][1].contains("trouble"));
  EXPECT_EQ(call("GET /api/v1/policies").status, 401);
}

TEST_F(PolicyOperations, one_is_told_whole_without_figures_that_are_none) {
  v1::PolicyFeature& feature = *library_.policy.add_observation();
  feature.set_name("air_temperature");
  feature.set_source("measurement");
  v1::PolicyOutput& output = *library_.policy.add_action();
  output.set_input("heating");
  output.set_high(150.0);
  library_.policy.add_layers()->set_kind("dense");
  (*library_.policy.mutable_figures())["gain_low"] = 0.1;
  (*library_.policy.mutable_figures())["ratio"] = std::numeric_limits<double>::quiet_NaN();
  (*library_.policy.mutable_hyperparameters())["gamma"] = "0.98";
  const json whole = get("/" + std::string(64, 'a'));
  EXPECT_EQ(asked(), "records.Policy coredinator.records by viewer " + std::string(64, 'a'));
  EXPECT_EQ(whole["policy"]["name"], "spring");
  EXPECT_EQ(whole["observation"][0]["name"], "air_temperature");
  EXPECT_EQ(whole["action"][0]["high"], 150.0);
  EXPECT_EQ(whole["layers"][0]["kind"], "dense");
  EXPECT_EQ(whole["validation"]["figures"], json({{"gain_low", 0.1}}));
  EXPECT_EQ(whole["hyperparameters"]["gamma"], "0.98");
  EXPECT_EQ(get("/nothing", 404)["detail"], "the site has no policy with that SHA-256");
}

}  // namespace
}  // namespace rltune::gateway
