#include "telemetry_operations.hpp"

#include <gmock/gmock.h>

#include "gateway_fixture.hpp"

namespace rltune::gateway {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// The telemetry role's side is played here; the tests of whole sites ask the real one.
class TelemetryOperations : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    operator_ = token("operator");
  }
  json ask(const std::string& line, int status = 200, const std::string& body = {}) {
    const HttpAnswer answer = call(line, operator_, body);
    EXPECT_EQ(answer.status, status) << line << answer.body;
    return json::parse(answer.body, nullptr, false);
  }

  std::string operator_;
};

TEST_F(TelemetryOperations, alerts_are_told_as_the_role_has_them) {
  const json alerts = ask("GET /api/v1/alerts")["alerts"];
  EXPECT_EQ(telemetry_.question().authorization, "Bearer of-the-role");
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0]["state"], "firing");
  EXPECT_EQ(alerts[0]["value"], "NaN");
  EXPECT_EQ(alerts[0]["labels"], json({{"role", "io"}}));
  EXPECT_EQ(alerts[0]["fired"], "2026-01-02T03:05:05Z");
  EXPECT_EQ(alerts[0]["acknowledged"]["why"], "repair");
  EXPECT_FALSE(alerts[0]["acknowledged"].contains("until"));
}

TEST_F(TelemetryOperations, who_looks_after_an_alert_is_the_account_and_stands_in_the_audit) {
  const std::string path = "POST /api/v1/alerts/role_down-3fa2/acknowledgements";
  const json body{{"reason", "repair"}, {"until", "2026-01-02T05:00:00Z"}};
  EXPECT_EQ(ask(path, 200, body.dump())["acknowledged"]["who"], "operator");
  EXPECT_EQ(telemetry_.question().alert, "role_down-3fa2");
  EXPECT_EQ(json::parse(telemetry_.question().body),
            json({{"who", "operator"}, {"why", "repair"}, {"until", "2026-01-02T05:00:00Z"}}));
  EXPECT_THAT(events(), Contains("alert.acknowledged operator role_down-3fa2"));
  EXPECT_EQ(call(path, token("viewer"), body.dump()).status, 403);
  telemetry_.says(R"({"detail":"there is no alert 'x'"})", 404);
  EXPECT_EQ(ask("POST /api/v1/alerts/x/acknowledgements", 404, body.dump())["detail"], "there is no alert 'x'");
  EXPECT_THAT(events(), Not(Contains("alert.acknowledged operator x")));
}

TEST_F(TelemetryOperations, a_search_of_the_logs_reaches_the_role_with_all_that_was_asked) {
  const json page =
      ask("GET /api/v1/logs?from=2026-01-02T00:00:00Z&service=io,agent.climate&level=warning&text=a%26limit=9"
          "&order=newest&limit=5&cursor=8&correlation_id=c-1");
  EXPECT_EQ(telemetry_.question().query, (std::map<std::string, std::string>{{"from", "2026-01-02T00:00:00Z"},
                                                                             {"service", "io,agent.climate"},
                                                                             {"level", "warning"},
                                                                             {"text", "a&limit=9"},
                                                                             {"order", "newest"},
                                                                             {"limit", "5"},
                                                                             {"next", "8"},
                                                                             {"correlation_id", "c-1"}}));
  ASSERT_EQ(page["entries"].size(), 1U);
  const json& entry = page["entries"][0];
  EXPECT_EQ(entry["sequence"], 7);
  EXPECT_EQ(entry["message"], "it is \"cold\"");
  EXPECT_EQ(entry["attributes"], json({{"tag", "air"}, {"value", "12.5"}, {"held", "true"}}));
  EXPECT_EQ(page["next"], "6");
  EXPECT_EQ(ask("GET /api/v1/logs?level=loud", 422)["errors"][0]["parameter"], "level");
  EXPECT_EQ(call("GET /api/v1/logs", token("viewer")).status, 403) << "they may say more than a viewer should see";
}

TEST_F(TelemetryOperations, entries_do_not_tell_where_on_the_host_files_lie) {
  const std::string file = folder_.path() / "secrets/backup.key";
  const json entry{{"timestamp", "2026-01-02T03:04:05Z"},
                   {"service", "coredinator"},
                   {"level", "ERROR"},
                   {"message", "no key: " + file},
                   {"attributes", {{"at", file}, {"more", {"/usr/lib/x.so", 3}}}}};
  const json kept{{"sequence", 1}, {"received", "2026-01-02T03:04:05Z"}, {"entry", entry}};
  telemetry_.says(json{{"entries", {kept}}, {"next", 0}, {"complete", true}}.dump());
  const json told = ask("GET /api/v1/logs")["entries"][0];
  EXPECT_EQ(told["message"], "no key: secrets/backup.key");
  EXPECT_EQ(told["attributes"], json({{"at", "secrets/backup.key"}, {"more", R"([".../x.so",3])"}}));
}

TEST_F(TelemetryOperations, only_the_oldest_first_goes_on_behind_the_end) {
  telemetry_.says(R"({"entries":[],"next":12,"complete":true})");
  EXPECT_FALSE(ask("GET /api/v1/logs").contains("next"));
  EXPECT_EQ(ask("GET /api/v1/logs?order=oldest")["next"], "12");
}

TEST_F(TelemetryOperations, what_is_kept_and_sent_is_told) {
  const json status = ask("GET /api/v1/telemetry");
  EXPECT_EQ(status["streams"][0]["stream"], "logs");
  EXPECT_EQ(status["streams"][0]["removed_unsent"], 1);
  EXPECT_EQ(status["sinks"][0]["trouble"], "no route");
  EXPECT_FALSE(status["sinks"][0].contains("last_success"));
}

TEST_F(TelemetryOperations, a_role_that_is_away_or_talks_nonsense_is_no_answer) {
  telemetry_.says("[1]");
  EXPECT_THAT(ask("GET /api/v1/alerts", 502)["detail"].get<std::string>(), HasSubstr("the log says why"));
  telemetry_.says(R"({"alerts":[{"id":7}]})");
  ask("GET /api/v1/alerts", 502);
  telemetry_.says(R"({"detail":"too many searches wait"})", 429);
  ask("GET /api/v1/logs", 503);
  telemetry_.stop();
  ask("GET /api/v1/alerts", 503);
  std::filesystem::remove(folder_.path() / "telemetry.json");
  ask("GET /api/v1/telemetry", 503);
}

}  // namespace
}  // namespace rltune::gateway
