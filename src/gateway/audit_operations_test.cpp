#include "audit_operations.hpp"

#include <gmock/gmock.h>

#include <format>

#include "gateway_fixture.hpp"

namespace rltune::gateway {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kAudited = 1'800'000'000'000'000'000;  // as the fixture's clock stands

class AuditOperations : public GatewayTest {
 protected:
  void SetUp() override {
    v1::AuditLine& line = *recorded_audit_.add_lines();
    line.set_role("io");
    line.set_sequence(7);
    line.set_time_unix_ns(kAudited);
    line.set_actor("ada");
    line.set_action("mode.change");
    (*line.mutable_details())["to"] = "manual";
    GatewayTest::SetUp();
    engineer_ = token("engineer");
  }
  json get(const std::string& path, int status = 200) {
    const HttpAnswer answer = call("GET /api/v1/audit" + path, engineer_);
    EXPECT_EQ(answer.status, status) << path << answer.body;
    return json::parse(answer.body, nullptr, false);
  }

  std::string engineer_;
};

TEST_F(AuditOperations, lines_are_asked_for_and_the_reading_is_one_as_well) {
  recorded_audit_.set_next_after("2027-01-15/1/io/7");
  const json page = get("?actor=ada&action=mode&limit=3");
  EXPECT_EQ(asked(), std::format("records.Audit coredinator.records by engineer {} {} ada mode 3 ",
                                 kAudited - 3'600'000'000'000, kAudited));
  ASSERT_EQ(page["lines"].size(), 1U);
  EXPECT_EQ(page["lines"][0]["time"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(page["lines"][0]["details"]["to"], "manual");
  EXPECT_THAT(events(), Contains("audit.show engineer ada"));
  get("?cursor=" + page["next"].get<std::string>());
  EXPECT_THAT(asked(), HasSubstr("  1000 2027-01-15/1/io/7"));
}

TEST_F(AuditOperations, a_verification_names_what_is_wrong) {
  recorded_verification_.add_roles()->set_role("io");
  EXPECT_EQ(get("/verification")["good"], true);
  v1::AuditFault& fault = *recorded_verification_.add_faults();
  fault.set_role("io");
  fault.set_file("audit-2027-01-15.jsonl");
  fault.set_line(3);
  fault.set_kind("changed");
  const json report = get("/verification");
  EXPECT_EQ(report["good"], false);
  EXPECT_EQ(report["faults"][0]["line"], 3);
  EXPECT_EQ(report["faults"][0]["kind"], "changed");
}

TEST_F(AuditOperations, who_only_operates_reads_no_audit) {
  for (const char* role : {"viewer", "operator"}) EXPECT_EQ(call("GET /api/v1/audit", token(role)).status, 403) << role;
}

}  // namespace
}  // namespace rltune::gateway
