#include "history_operations.hpp"

#include <gmock/gmock.h>

#include <format>

#include "gateway_fixture.hpp"

namespace rltune::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr std::int64_t kSecond = 1'000'000'000, kNow = 1'800'000'000 * kSecond;  // as the fixture's clock stands

class HistoryOperations : public GatewayTest {
 protected:
  void SetUp() override {
    for (const char* name : {"air_temperature", "vent"}) {
      v1::TagFacts& facts = *recorded_tags_.add_tags();
      facts.set_name(name);
      facts.set_elements(1);
    }
    recorded_tags_.mutable_tags(0)->set_role("measurement");
    recorded_tags_.mutable_tags(1)->set_role("setpoint");
    recorded_tags_.mutable_tags(1)->set_writable(true);
    recorded_tags_.mutable_tags(1)->set_low(0.0);
    recorded_tags_.mutable_tags(1)->set_high(80.0);
    add(*latest_.add_samples(), 0, 21.5, 0);
    latest_.add_samples()->set_tag(1);  // nothing came of it yet
    add(*recorded_samples_.add_samples(), 0, 20.25, 0);
    add(*recorded_samples_.add_samples(), 1, std::nan(""), 2);
    GatewayTest::SetUp();
    viewer_ = token("viewer");
  }
  static void add(v1::Sample& sample, int second, double value, std::uint32_t quality) {
    sample.set_source_unix_ns(kNow + second * kSecond);
    sample.set_value(value);
    sample.set_quality(quality);
  }
  json get(const std::string& path, int status = 200) {
    const HttpAnswer answer = call("GET /api/v1/tags" + path, viewer_);
    EXPECT_EQ(answer.status, status) << path << answer.body;
    return json::parse(answer.body, nullptr, false);
  }
  std::vector<std::string> wrong(const std::string& path) {
    std::vector<std::string> parameters;
    const json problem = get(path, 422);
    for (const json& fault : problem["errors"]) {
      parameters.push_back(fault.value("parameter", ""));
      EXPECT_FALSE(fault.contains("pointer")) << fault;
    }
    return parameters;
  }

  std::string viewer_;
};

TEST_F(HistoryOperations, tags_come_with_their_limits_and_latest_values) {
  const json tags = get("")["tags"];
  ASSERT_EQ(tags.size(), 2U);
  EXPECT_EQ(tags[0]["name"], "air_temperature");
  EXPECT_FALSE(tags[0]["writable"]);
  EXPECT_FALSE(tags[0].contains("low"));
  EXPECT_EQ(tags[0]["latest"],
            json::parse(R"([{"time":"2027-01-15T08:00:00Z","element":0,"value":21.5,"quality":"good"}])"));
  EXPECT_TRUE(tags[1]["writable"]);
  EXPECT_EQ(tags[1]["high"], 80.0);
  EXPECT_TRUE(tags[1]["latest"].empty());
}

TEST_F(HistoryOperations, samples_are_asked_for_where_they_are_kept_in_the_name_of_who_asks) {
  const json page = get("/air_temperature/samples?from=2027-01-15T07:00:00Z&to=2027-01-15T07:30:00Z&limit=5");
  EXPECT_EQ(asked(), std::format("records.Samples io.records by viewer air_temperature {} {} 5", kNow - 3600 * kSecond,
                                 kNow - 1800 * kSecond));
  EXPECT_EQ(page["tag"], "air_temperature");
  ASSERT_EQ(page["samples"].size(), 2U);
  EXPECT_EQ(page["samples"][0]["value"], 20.25);
  EXPECT_EQ(page["samples"][1]["quality"], "bad");
  EXPECT_FALSE(page["samples"][1].contains("value")) << "what was not measured is no number";
  EXPECT_FALSE(page.contains("next"));
}

TEST_F(HistoryOperations, the_last_hour_is_meant_where_nothing_is_said) {
  get("/air_temperature/samples");
  EXPECT_THAT(asked(), HasSubstr(std::format("air_temperature {} {} 1000", kNow - 3600 * kSecond, kNow)));
  get("/air_temperature/samples?to=2027-01-01T01:00:00Z");
  EXPECT_THAT(asked(), HasSubstr(std::format("{} {} 1000", 1'798'761'600 * kSecond, 1'798'765'200 * kSecond)));
}

TEST_F(HistoryOperations, a_cursor_goes_on_in_the_stretch_that_was_asked_for_first) {
  recorded_samples_.set_next_unix_ns(kNow - 7);
  const std::string next = get("/air_temperature/samples")["next"];
  clock_.advance(std::chrono::minutes(10));
  get("/air_temperature/samples?limit=3&cursor=" + next);
  EXPECT_THAT(asked(), HasSubstr(std::format("air_temperature {} {} 3", kNow - 7, kNow)));
  for (const char* cursor : {"", "1", "1_2", "2_1_", "a_b_", "99999999999999999999_1_"})
    EXPECT_THAT(wrong(std::string("/air_temperature/samples?cursor=") + cursor), ElementsAre("cursor")) << cursor;
}

TEST_F(HistoryOperations, rollups_say_what_no_good_sample_can_say_by_leaving_it_out) {
  v1::RollupRow& full = *recorded_rollups_.add_rollups();
  full.set_start_unix_ns(kNow);
  full.set_count(2);
  full.set_mean(1.5);
  recorded_rollups_.add_rollups()->set_bad(3);
  const json page = get("/vent/rollups?resolution=five_minutes");
  EXPECT_EQ(asked(), "records.Rollups io.records by viewer vent five_minutes");
  EXPECT_EQ(page["resolution"], "five_minutes");
  EXPECT_EQ(page["rollups"][0]["mean"], 1.5);
  EXPECT_EQ(page["rollups"][1]["bad"], 3);
  EXPECT_FALSE(page["rollups"][1].contains("mean"));
}

TEST_F(HistoryOperations, a_parameter_that_is_wrong_is_named) {
  EXPECT_THAT(wrong("/vent/rollups"), ElementsAre("resolution"));
  EXPECT_THAT(wrong("/vent/rollups?resolution=day&limit=0&from=now&to=then&since=1"),
              UnorderedElementsAre("resolution", "limit", "from", "to", "since"));
  EXPECT_THAT(wrong("/vent/samples?limit=10001"), ElementsAre("limit"));
  EXPECT_THAT(wrong("/vent/samples?limit=1&limit=1"), ElementsAre("limit"));
  EXPECT_THAT(wrong("/vent/samples?from=2027-01-02&to=2027-01-01"), ElementsAre("from"));
  EXPECT_THAT(wrong("?limit=3"), ElementsAre("limit")) << "all tags come at once";
  EXPECT_THAT(asked(), ::testing::IsEmpty()) << "nothing reached the site";
}

TEST_F(HistoryOperations, a_tag_that_the_site_does_not_have_is_not_found) {
  EXPECT_EQ(get("/nothing/samples", 404)["detail"], "the site has no tag 'nothing'");
}

}  // namespace
}  // namespace rltune::gateway
