// alerts.yaml as version 2 has it: rules on logs and on what a counter grew, channels with keys.
#include "rltune/config/alerts.hpp"

#include <gtest/gtest.h>

#include "example_kinds.hpp"

namespace rltune::config {
namespace {

std::string faults_in_alerts(const std::string& yaml) {
  const auto alerts = parse_alerts(yaml, "f");
  return alerts ? "" : alerts.error().message;
}

std::string with(const std::string& from, const std::string& to) {
  return faults_in_alerts(replaced(example_newer_alerts(), from, to));
}

TEST(Alerts, of_version_2_are_read_as_they_stand) {
  const auto alerts = parse_alerts(example_newer_alerts(), "f");
  ASSERT_TRUE(alerts) << alerts.error().message;
  ASSERT_EQ(alerts->alerts.size(), 3U);
  const Alert& logged = alerts->alerts[0];
  EXPECT_EQ(logged.log->service, "io");
  EXPECT_EQ(logged.log->level, "ERROR");
  EXPECT_EQ(logged.hysteresis, 2.0);
  EXPECT_EQ(logged.clear_for_s, 300.0);
  EXPECT_EQ(alerts->alerts[1].of, "ratio");
  EXPECT_EQ(alerts->channels[2].routing_key_file, "secrets/pagerduty");
  EXPECT_EQ(alerts->channels[3].signing_key_env, "NORTH_CHAT_KEY");
}

TEST(Alerts, of_version_1_stay_as_they_are_and_have_none_of_it) {
  EXPECT_EQ(faults_in_alerts(replaced(example_alerts(), "/v2", "/v1")), "");
  EXPECT_NE(faults_in_alerts(replaced(example_newer_alerts(), "/v2", "/v1")).find("'of' came with version 2"),
            std::string::npos);
  const std::string none = replaced(replaced(example_alerts(), "/v2", "/v1"), "    metric: rltune_agent_alive\n", "");
  EXPECT_NE(faults_in_alerts(none).find("'metric' is missing"), std::string::npos);
}

TEST(Alerts, that_cannot_be_meant_are_refused_where_they_stand) {
  EXPECT_EQ(with("url: https://chat", "url: http://127.0.0.1:8080/chat"), "");
  EXPECT_EQ(with("url: https://chat", "url: http://[::1]:8080/chat"), "");
  for (const auto& [from, to, fault] :
       {std::tuple{"log: {service: io, contains: valve}", "metric: up\n    log: {service: io}", "not both"},
        {"    log: {service: io, contains: valve}\n", "", "needs a 'metric' or a 'log'"},
        {"log: {service: io, contains: valve}", "log: {level: LOUD}", "'LOUD' is not one of DEBUG"},
        {"log: {service: io, contains: valve}", "log: {services: io}", "did you mean 'service'?"},
        {"    per: rltune_agent_performance_decision_seconds_count\n", "", "of: ratio needs 'per'"},
        {"of: ratio", "of: increase", "'per' is for of: ratio only"},
        {"of: ratio", "of: average", "'average' is not one of value, age, rate, increase, ratio"},
        {"per: rltune", "per: rltune performance", "is not the name of a metric"},
        {"window_s: 600", "window_s: 1", "must be at least 10"},
        {"    hysteresis: 2\n", "    hysteresis: -2\n", "must be at least 0"},
        {"metric: rltune_agent_alive", "metric: rltune_agent_alive\n    window_s: 600", "is for rate, increase"},
        {"    routing_key_file: secrets/pagerduty\n", "", "needs a routing_key_file or a routing_key_env"},
        {"routing_key_file: secrets/pagerduty", "routing_key: 0123456789abcdef", "is a secret and"},
        {"kind: webhook", "kind: log", "is of no use with kind: log"},
        {"kind: pagerduty", "kind: webhook", "a routing_key is for kind: pagerduty only"},
        {"url: https://chat", "url: http://chat", "must read https://host"},
        {"url: https://chat", "url: http://localhost.example.com", "must read https://host"},
        {"url: https://chat", "url: http://127.0.0.1.example.com", "must read https://host"},
        {"url: https://chat", "url: http://127.0.0.1:80@example.com", "holds a user or a password"},
        {"url: https://chat", "from: a@b\n    url: https://chat", "is for kind: email only"},
        {"password_file: secrets/mail", "password_file: secrets/mail\n    from: rltune", "'rltune' is not an address"}})
    EXPECT_NE(with(from, to).find(fault), std::string::npos) << to << "\n" << with(from, to);
}

TEST(Alerts, as_rules_of_prometheus_say_by_name_what_prometheus_cannot) {
  const auto alerts = parse_alerts(example_newer_alerts(), "f");
  const std::string rules = prometheus_rules(*alerts, "north");
  for (const char* part :
       {"# Left out, because Prometheus has no log entries: \"errors_logged\"\n",
        "expr: \"increase(rltune_agent_performance_outcomes_total{outcome=\\\"ok\\\", site=\\\"north\\\"}[300000ms]) / "
        "ignoring(outcome) increase(rltune_agent_performance_decision_seconds_count{site=\\\"north\\\"}[300000ms]) < "
        "0.9\"",
        "action: \"look at the health of its tags\"", "- alert: \"agent_lost\""})
    EXPECT_NE(rules.find(part), std::string::npos) << part << "\nin\n" << rules;
  Alerts odd{.alerts = {{.name = "old",
                         .metric = "a_timestamp_seconds",
                         .limit = 600,
                         .of = "age",
                         .hysteresis = 5,
                         .clear_for_s = 30}}};
  const std::string aged = prometheus_rules(odd, "");
  EXPECT_NE(aged.find("expr: \"time() - a_timestamp_seconds > 600\""), std::string::npos) << aged;
  EXPECT_NE(aged.find("keep_firing_for: 30000ms"), std::string::npos);
  EXPECT_NE(aged.find("# Its hysteresis of 5 is nothing that Prometheus has."), std::string::npos);
}

}  // namespace
}  // namespace rltune::config
