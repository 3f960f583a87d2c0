#include "rltune/config/change.hpp"

#include <gtest/gtest.h>

#include "example_kinds.hpp"

namespace rltune::config {
namespace {

using Roles = std::vector<std::string>;

std::vector<Change> of(const std::string& from, const std::string& to) {
  const std::string was = example_shared_site();
  const auto found = changes(was, replaced(was, from, to));
  EXPECT_TRUE(found) << (found ? "" : found.error().message);
  return found.value_or(std::vector<Change>{});
}

TEST(Changes, a_field_is_named_by_its_item_with_what_it_was_and_is) {
  const auto found = of("period_s: 60", "period_s: 30");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].field, "agents[climate].period_s");
  EXPECT_EQ(found[0].was, "60");
  EXPECT_EQ(found[0].is, "30");
  EXPECT_EQ(found[0].restarts, (Roles{"io", "agent.climate", "learner.climate"}));
}

TEST(Changes, each_field_restarts_those_that_hold_it) {
  EXPECT_EQ(restarts(of("name: pilot", "name: south")),
            (Roles{"coredinator", "io", "agent.*", "learner.*", "telemetry", "gateway"}));
  EXPECT_EQ(restarts(of("policy: policies/rails", "policy: policies/rails-2")),
            (Roles{"agent.rails", "learner.rails"}));
  EXPECT_EQ(restarts(of("mode: auto", "mode: shadow")), Roles{});
  EXPECT_EQ(restarts(of("enabled: true", "enabled: false")),
            (Roles{"coredinator", "agent.climate", "learner.climate"}));
}

TEST(Changes, the_guards_rules_are_taken_over_as_io_runs) {
  for (const auto& [from, to] : {std::pair{"step_max: 15", "step_max: 10"}, std::pair{"limit: 180", "limit: 170"},
                                 std::pair{"require: temperature < 38", "require: temperature < 36"},
                                 std::pair{"fallback: rule", "fallback: rule\n    hold_s: 20"}}) {
    EXPECT_EQ(restarts(of(from, to)), Roles{}) << to;
    EXPECT_EQ(live(of(from, to)), (Roles{"io"})) << to;
  }
  const auto beat = of("  guard_alive: guard_alive", "  heartbeat_s: 2\n  guard_alive: guard_alive");
  EXPECT_EQ(restarts(beat), (Roles{"agent.*"}));
  EXPECT_EQ(live(beat), (Roles{"io"}));
  auto both = of("step_max: 15", "step_max: 10");
  const auto more = of("period_s: 60", "period_s: 30");
  both.insert(both.end(), more.begin(), more.end());
  EXPECT_EQ(live(both), Roles{}) << "io starts again in any case";
}

TEST(Changes, an_agent_that_is_new_or_gone_concerns_the_roles_that_plan_for_it) {
  const std::string both =
      replaced(example_shared_site(), "groups:\n  - name: climate\n    agents: [climate, rails]\n", "");
  const std::string one = replaced(both, "  - id: rails\n    policy: policies/rails\n    outputs: [rail]\n", "");
  const auto gone = changes(both, one);
  ASSERT_TRUE(gone) << gone.error().message;
  EXPECT_EQ(restarts(*gone), (Roles{"coredinator", "io", "agent.rails", "learner.rails"}));
  const auto came = changes(one, both);
  EXPECT_EQ(restarts(*came), (Roles{"coredinator", "io", "agent.rails", "learner.rails"}));
  EXPECT_EQ(came->front().was, "");
}

TEST(Changes, order_comments_defaults_and_versions_are_no_change) {
  const std::string was = example_site();
  EXPECT_TRUE(changes(was, "# a comment\n" + was)->empty());
  EXPECT_TRUE(changes(was, replaced(was, "guard:\n", "guard:\n  heartbeat_s: 1\n"))->empty());
  const auto migrated = changes(was, *migrate(was, "f", 2));
  ASSERT_EQ(migrated->size(), 1U);
  EXPECT_EQ(migrated->front().field, "schema");
  EXPECT_TRUE(migrated->front().restarts.empty());
}

TEST(Changes, the_gateway_follows_users_as_it_runs_and_starts_again_for_the_rules_of_signing_in) {
  const std::string was = example_users();
  const auto role = changes(was, replaced(was, "role: operator", "role: viewer"));
  EXPECT_EQ(restarts(*role), Roles{});
  EXPECT_EQ(live(*role), Roles{"gateway"});
  EXPECT_EQ(restarts(*changes(was, replaced(was, "attempts_max: 5", "attempts_max: 4"))), Roles{"gateway"});
  EXPECT_EQ(live(*changes(was, replaced(was, "login.example.com", "sso.example.com"))), Roles{"gateway"});
}

TEST(Changes, roles_follow_telemetry_as_they_run) {
  const std::string was = example_telemetry();
  const auto level = changes(was, replaced(was, "level: INFO", "level: ERROR"));
  EXPECT_EQ(live(*level), (Roles{"keeper", "coredinator", "io", "agent.*", "learner.*", "telemetry", "gateway"}));
  EXPECT_EQ(live(*changes(was, replaced(was, "{io: DEBUG}", "{io: ERROR}"))), Roles{"io"});
  EXPECT_EQ(live(*changes(was, replaced(was, "{io: DEBUG}", "{io: DEBUG, agent: ERROR}"))), Roles{"agent.*"});
  const auto forward = changes(was, replaced(was, "telemetry.example.com", "other.example.com"));
  ASSERT_EQ(forward->size(), 1U);
  EXPECT_EQ(live(*forward), Roles{});
  EXPECT_EQ(restarts(*forward), Roles{"telemetry"});
  EXPECT_EQ(restarts(*level), Roles{});
}

TEST(Changes, who_keeps_a_store_follows_its_retention) {
  const std::string was = example_retention();
  EXPECT_EQ(live(*changes(was, replaced(was, "logs_days: 30", "logs_days: 3"))), Roles{"keeper"});
  EXPECT_EQ(live(*changes(was, replaced(was, "decisions_days: 1095", "decisions_days: 90"))), Roles{"io"});
  EXPECT_EQ(live(*changes(was, replaced(was, "checkpoints: 10", "checkpoints: 4"))), Roles{"learner.*"});
  EXPECT_EQ(live(*changes(was, replaced(was, "daily: 7", "daily: 3"))), Roles{});
}

TEST(Changes, telemetry_takes_over_alerts_and_kinds_do_not_mix) {
  const auto found = changes(example_alerts(), replaced(example_alerts(), "for_s: 30", "for_s: 90"));
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().field, "alerts[agent_lost].for_s");
  EXPECT_EQ(restarts(*found), Roles{"telemetry"});
  EXPECT_TRUE(found->front().live.empty());
  EXPECT_EQ(changes(example_alerts(), example_users()).error().message,
            "one file is of kind alerts, the other of kind users");
  EXPECT_FALSE(changes("", "schema: rltune/users/v1\n"));
  EXPECT_FALSE(changes("", example_users())->empty());
}

}  // namespace
}  // namespace rltune::config
