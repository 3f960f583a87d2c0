#include "decision_operations.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <format>

#include "gateway_fixture.hpp"

namespace rltune::gateway {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kDecided = 1'800'000'000'000'000'000;  // as the fixture's clock stands

class DecisionOperations : public GatewayTest {
 protected:
  void SetUp() override {
    v1::DecisionRecord& decision = *recorded_decisions_.add_decisions();
    decision.set_id("0190a5e2");
    decision.set_agent("climate");
    decision.set_mode("automatic");
    decision.set_time_unix_ns(kDecided);
    v1::DecidedOutput& output = *decision.add_outputs();
    output.set_tag("vent");
    output.set_action("clamped");
    output.add_reasons("rate");
    output.set_applied(5.0);
    recorded_decision_ = decision;
    recorded_decision_.add_observation(0.5F);
    recorded_decision_.add_observation(std::nanf(""));
    (*recorded_decision_.mutable_timings_us())["verdict"] = 1.5;
    (*recorded_decision_.mutable_seen())["price"] = std::nan("");
    GatewayTest::SetUp();
    viewer_ = token("viewer");
  }
  json get(const std::string& line, int status = 200) {
    const HttpAnswer answer = call(line, viewer_);
    EXPECT_EQ(answer.status, status) << line << answer.body;
    return json::parse(answer.body, nullptr, false);
  }

  std::string viewer_;
};

TEST_F(DecisionOperations, a_list_is_asked_for_where_it_is_kept_and_stands_on_record) {
  const json page = get("GET /api/v1/decisions?agent=climate&limit=7&to=2027-01-15T08:00:00Z");
  EXPECT_EQ(asked(), std::format("records.Decisions io.records by viewer {} {} climate 7 ",
                                 kDecided - 3'600'000'000'000, kDecided));
  ASSERT_EQ(page["decisions"].size(), 1U);
  const json decision = page["decisions"][0];
  EXPECT_EQ(decision["time"], "2027-01-15T08:00:00Z");
  EXPECT_EQ(decision["outputs"][0]["reasons"], json({"rate"}));
  EXPECT_FALSE(decision["outputs"][0].contains("proposed"));
  EXPECT_FALSE(page.contains("next"));
  EXPECT_THAT(events(), Contains("decisions.show viewer climate"));
}

TEST_F(DecisionOperations, the_next_page_goes_on_after_the_last_decision) {
  recorded_decisions_.set_next_after("0190a5e2");
  const std::string next = get("GET /api/v1/decisions")["next"];
  const auto on_record = events().size();
  get("GET /api/v1/decisions?limit=5&cursor=" + next);
  EXPECT_THAT(asked(), HasSubstr(std::format("{} {}  5 0190a5e2", kDecided - 3'600'000'000'000, kDecided)));
  EXPECT_EQ(events().size(), on_record) << "one reading is one line of the audit";
}

TEST_F(DecisionOperations, one_is_told_with_what_the_network_saw) {
  const json whole = get("GET /api/v1/decisions/0190a5e2");
  EXPECT_EQ(asked(), "records.Decision io.records by viewer 0190a5e2");
  EXPECT_EQ(whole["decision"]["mode"], "automatic");
  EXPECT_EQ(whole["observation"], json::parse("[0.5,null]"));
  EXPECT_EQ(whole["timings_us"]["verdict"], 1.5);
  EXPECT_FALSE(whole["seen"].contains("price")) << "what was not good is no number";
  EXPECT_THAT(events(), Contains("decisions.show viewer 0190a5e2"));
}

TEST_F(DecisionOperations, a_replay_is_coredinators_and_stands_on_record) {
  const json report = get("POST /api/v1/decisions/0190a5e2/replay");
  EXPECT_EQ(asked(), "records.Replay coredinator.records by viewer 0190a5e2");
  EXPECT_EQ(report["outcome"], "different");
  EXPECT_EQ(report["differences"][0]["what"], "network_output[0]");
  EXPECT_THAT(events(), Contains("decisions.replay viewer 0190a5e2"));
  EXPECT_EQ(get("POST /api/v1/decisions/nothing/replay", 404)["detail"], "no decision of that id is on record");
}

}  // namespace
}  // namespace rltune::gateway
