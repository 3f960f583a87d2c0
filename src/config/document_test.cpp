#include "rltune/config/document.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "example_kinds.hpp"
#include "rltune/base/file.hpp"
#include "rltune/config/alerts.hpp"
#include "rltune/config/retention.hpp"
#include "rltune/config/site.hpp"
#include "rltune/config/telemetry.hpp"
#include "rltune/config/users.hpp"
#include "temporary_folder.hpp"

namespace rltune::config {
namespace {

std::string faults_of(const std::string& text) { return to_text("f", check(text).faults); }

TEST(Document, the_example_of_each_kind_is_good_and_knows_its_schema) {
  for (const Kind kind : kinds()) {
    EXPECT_EQ(faults_of(example_of(kind)), "") << to_string(kind);
    EXPECT_EQ(check(example_of(kind)).schema, (Schema{kind, newest_version(kind)}));
    EXPECT_EQ(*parse_kind(to_string(kind)), kind);
  }
  EXPECT_EQ(faults_of(example_site()), "") << "a file of the first version";
  EXPECT_EQ(parse_kind("sites").error().message,
            "there is no kind 'sites' of configuration; there are site, users, retention, alerts, telemetry");
}

TEST(Document, each_kind_is_read_whole) {
  const TemporaryFolder folder;
  const auto file = [&](Kind kind) {
    EXPECT_TRUE(write_file(folder.path() / file_name(kind), example_of(kind)));
    return folder.path() / file_name(kind);
  };
  const auto users = load_users(file(Kind::users));
  ASSERT_TRUE(users) << users.error().message;
  EXPECT_EQ(users->users[1].role, "operator");
  EXPECT_EQ(users->sign_in.session_hours, 8.0);
  EXPECT_EQ(users->oauth->client_secret_env, "NORTH_CLIENT_SECRET");
  EXPECT_EQ(load_retention(file(Kind::retention))->backups.weekly, 5U);
  const auto alerts = load_alerts(file(Kind::alerts));
  ASSERT_TRUE(alerts) << alerts.error().message;
  EXPECT_EQ(alerts->alerts[0].labels.at("agent"), "climate");
  EXPECT_EQ(alerts->channels[1].kind, "log");
  EXPECT_EQ(load_telemetry(file(Kind::telemetry))->levels.at("io"), "DEBUG");
  const auto site = load_site(file(Kind::site));
  ASSERT_TRUE(site) << site.error().message;
  EXPECT_EQ(site->budgets[0].priorities.at("rail"), 0.25);
  EXPECT_EQ(site->groups[0].agents.size(), 2U);
}

TEST(Document, a_file_that_names_no_known_schema_is_told_which_there_are) {
  EXPECT_EQ(faults_of("name: x\n"),
            "f:1: schema: the field 'schema' is missing; it is one of rltune/site/v1, rltune/site/v2, rltune/users/v1, "
            "rltune/retention/v1, rltune/retention/v2, rltune/alerts/v1, rltune/alerts/v2, rltune/telemetry/v1, "
            "rltune/telemetry/v2");
  EXPECT_EQ(faults_of("# x\nschema: rltune/user/v1\n").substr(0, 38), "f:2: schema: 'rltune/user/v1' is not o");
}

TEST(Document, what_is_no_text_of_a_person_is_not_read) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(load_text(folder.path() / "pipe").error().code, Errc::io) << "reading it would wait for ever";
  EXPECT_EQ(load_text("/dev/zero").error().code, Errc::io) << "reading it would never end";
  EXPECT_EQ(load_text(folder.path()).error().code, Errc::io);
  ASSERT_TRUE(write_file(folder.path() / "large", std::string((1U << 20) + 1, ' ')));
  EXPECT_NE(load_text(folder.path() / "large").error().message.find("larger than 1024 KiB"), std::string::npos);
  EXPECT_EQ(load_text(folder.path() / "none").error().code, Errc::not_found);
}

TEST(Document, each_field_of_each_schema_has_a_note_and_old_versions_lack_what_came_later) {
  for (const Kind kind : kinds())
    for (int version = 1; version <= newest_version(kind); ++version) {
      const auto schema = nlohmann::json::parse(json_schema({kind, version}));
      EXPECT_EQ(schema["properties"]["schema"]["const"], to_string(Schema{kind, version}));
      for (const auto& [name, field] : schema["properties"].items()) EXPECT_NE(field["description"], "") << name;
    }
  EXPECT_FALSE(nlohmann::json::parse(json_schema({Kind::site, 1}))["properties"].contains("budgets"));
  EXPECT_TRUE(nlohmann::json::parse(json_schema({Kind::site, 2}))["properties"].contains("budgets"));
}

TEST(Document, the_reference_page_in_the_tree_is_the_one_that_the_schemas_make) {
  EXPECT_EQ(read_file(RLTUNE_SOURCE_DIR "/docs/config.md").value_or("there is none"), reference_page())
      << "stale; make it anew with: rltune config schema --reference --out docs/config.md";
}

TEST(Migration, there_and_back_is_the_same_file_with_its_comments) {
  const std::string old = "# of the north house\n" + example_site();
  const auto migrated = migrate(old, "f", 2);
  ASSERT_TRUE(migrated) << migrated.error().message;
  EXPECT_EQ(check(*migrated).schema, (Schema{Kind::site, 2}));
  EXPECT_EQ(migrated->find("# of the north house"), 0U);
  EXPECT_EQ(*migrate(*migrated, "f", 1), old);
  EXPECT_EQ(*migrate(old, "f", 1), old);
}

TEST(Migration, every_version_of_every_kind_goes_forward_to_the_newest) {
  for (const Kind kind : kinds())
    for (int version = 1; version <= newest_version(kind); ++version) {
      std::string text = kind == Kind::site ? example_site() : example_of(kind);
      if (kind == Kind::telemetry) text.resize(text.find("collect:"));  // of version 2
      text = replaced(text, to_string(check(text).schema), to_string(Schema{kind, version}));
      const auto migrated = migrate(text, "f", newest_version(kind));
      ASSERT_TRUE(migrated) << migrated.error().message;
      EXPECT_EQ(*migrate(*migrated, "f", version), text);
    }
}

TEST(Migration, back_is_refused_by_the_names_of_the_fields_that_would_be_lost) {
  EXPECT_EQ(migrate(example_shared_site(), "site.yaml", 1).error().message,
            "site.yaml:54: 'budgets' came with version 2 of this schema; version 1 cannot hold it: name the later one\n"
            "site.yaml:60: 'groups' came with version 2 of this schema; version 1 cannot hold it: name the later one");
  EXPECT_NE(migrate(example_site(), "f", 3).error().message.find("there are 1 to 2"), std::string::npos);
  EXPECT_NE(migrate("schema: rltune/site/v1\n", "f", 2).error().message.find("'name' is missing"), std::string::npos);
}

TEST(Migration, the_schema_may_stand_in_quotes_or_among_others_and_nothing_else_changes) {
  const std::string quoted = replaced(example_site(), "schema: rltune/site/v1", "schema: 'rltune/site/v1'  # first");
  EXPECT_NE(migrate(quoted, "f", 2)->find("schema: 'rltune/site/v2'  # first"), std::string::npos);
  const std::string named =
      replaced(example_site(), "schema: rltune/site/v1\nname: pilot\n", "name: pilot\nschema: rltune/site/v1\n");
  EXPECT_EQ(migrate(named, "f", 2)->find("name: pilot\nschema: rltune/site/v2\n"), 0U);
}

struct Wrong {
  Kind kind;
  const char *from, *to, *message;
};

class KindFault : public ::testing::TestWithParam<Wrong> {};

TEST_P(KindFault, is_refused_with_its_reason) {
  const Wrong& wrong = GetParam();
  const std::string message = faults_of(replaced(example_of(wrong.kind), wrong.from, wrong.to));
  EXPECT_NE(message.find(wrong.message), std::string::npos) << message;
}

INSTANTIATE_TEST_SUITE_P(
    Shared, KindFault,
    ::testing::Values(
        Wrong{Kind::site, "limit: 180", "limit: 0", "budgets[0].limit: 0 must be more than 0"},
        Wrong{Kind::site, "rail: 0.25", "rail: 0.3", "budgets[0].priorities: are 1.05 together; they must be 1"},
        Wrong{Kind::site, ", rail: 0.25", "", "budgets[0].priorities: has no part for 'rail'"},
        Wrong{Kind::site, "rail: 0.25", "rial: 0.25", "budgets[0].priorities.rial: is not an output of this budget"},
        Wrong{Kind::site, "rail: 0.25", "rail: -0.25", "-0.25 must be more than 0 and less than 1"},
        Wrong{Kind::site, "outputs: [heating, rail]", "outputs: [heating]", "must name two set-points at least"},
        Wrong{Kind::site, "outputs: [heating, rail]", "outputs: [heating, heating]",
              "'heating' already belongs to budget 'boiler'"},
        Wrong{Kind::site, "outputs: [heating, rail]", "outputs: [heating, rall]", "did you mean 'rail'?"},
        Wrong{Kind::site, "outputs: [heating, rail]", "outputs: [heating, outdoor]", "it must be setpoint"},
        Wrong{Kind::site, "    unit: W/m2\n    limit", "    unit: kW\n    limit",
              "'heating' is in W/m2, the budget in kW"},
        Wrong{Kind::site, "limits: {low: 0, high: 80}", "limits: {low: -5, high: 80}", "what is shared starts at 0"},
        Wrong{Kind::site, "limits: {low: 0, high: 80}\n      safe_value: 0",
              "limits: {low: 0, high: 800}\n      safe_value: 190", "180 is below 190"},
        Wrong{Kind::site, "limits: {low: 0, high: 80}\n      safe_value: 0",
              "limits: {low: 200, high: 800}\n      safe_value: 200",
              "180 is below 200, what the outputs' lower limits"},
        Wrong{Kind::site, "outputs: [rail]", "outputs: [heating]", "a set-point has one owner"},
        Wrong{Kind::site, "agents: [climate, rails]", "agents: [climate]", "must name two agents at least"},
        Wrong{Kind::site, "agents: [climate, rails]", "agents: [climate, rail]",
              "there is no agent 'rail'; did you mean 'rails'?"},
        Wrong{Kind::site, "agents: [climate, rails]", "agents: [rails, rails]", "already belongs to group 'climate'"}));

TEST(Shared, two_explorers_in_a_group_are_refused) {
  std::string text = replaced(example_shared_site(), "      costs: {heat: 0.1 * heating}\n",
                              "      explore: true\n      explore_within: {heating: {low: 0, high: 10}}\n");
  EXPECT_EQ(faults_of(text), "") << "one may";
  text = replaced(text, "    outputs: [rail]\n",
                  "    outputs: [rail]\n    learning: {explore: true, explore_within: {rail: {low: 0, high: 10}}}\n");
  EXPECT_NE(faults_of(text).find("'rails' and 'climate' both explore; in a group one agent explores at a time"),
            std::string::npos)
      << faults_of(text);
}

// A budget couples them as much as a group does.
TEST(Shared, two_explorers_of_one_budget_are_refused_without_a_group_too) {
  std::string text = replaced(example_shared_site(), "groups:\n  - name: climate\n    agents: [climate, rails]\n", "");
  text = replaced(text, "      costs: {heat: 0.1 * heating}\n",
                  "      explore: true\n      explore_within: {heating: {low: 0, high: 10}}\n");
  EXPECT_EQ(faults_of(text), "");
  text = replaced(text, "    outputs: [rail]\n",
                  "    outputs: [rail]\n    learning: {explore: true, explore_within: {rail: {low: 0, high: 10}}}\n");
  EXPECT_NE(faults_of(text).find("budgets[0].outputs[1]: agents 'climate' and 'rails' share it and both explore"),
            std::string::npos)
      << faults_of(text);
}

TEST(Shared, heads_of_the_audit_log_go_elsewhere) {
  const auto with = [](const std::string& where) {
    return replaced(example_shared_site(), "guard:\n", "storage: {folder: data, audit_heads: " + where + "}\nguard:\n");
  };
  EXPECT_EQ(faults_of(with("/mnt/safe/heads")), "");
  for (const char* inside : {"data", "data/heads", "./data/audit/.."})
    EXPECT_NE(faults_of(with(inside)).find("storage.audit_heads: must lie elsewhere than in storage.folder, 'data'"),
              std::string::npos)
        << inside << ": " << faults_of(with(inside));
}

TEST(Shared, pages_that_may_call_are_named_as_a_browser_says_them) {
  const auto with = [](const std::string& gateway) {
    return faults_of(replaced(example_shared_site(), "guard:\n", "gateway: {" + gateway + "}\nguard:\n"));
  };
  EXPECT_EQ(with("allowed_origins: ['https://panel.example.com', 'https://10.0.0.7:8444', 'http://localhost:5173', "
                 "'https://[::1]:9000']"),
            "");
  for (const char* wrong : {"*", "null", "panel.example.com", "https://Panel.example.com", "https://panel/", "https://",
                            "https://panel:443", "https://panel:x", "https://*.example.com", "ftp://panel", "https://[",
                            "https://panel:99999"})
    EXPECT_NE(with(std::string("allowed_origins: ['") + wrong + "']").find("gateway.allowed_origins[0]: must be"),
              std::string::npos)
        << wrong;
}

TEST(Shared, who_is_exempt_from_limits_is_an_address_to_the_letter) {
  const auto with = [](const std::string& list) {
    return faults_of(
        replaced(example_shared_site(), "guard:\n", "gateway: {exempt_addresses: [" + list + "]}\nguard:\n"));
  };
  EXPECT_EQ(with("'10.0.0.7', '::1', '2001:db8::7'"), "");
  for (const char* wrong :
       {"localhost", "10.0.0", "10.0.0.0/8", "010.0.0.7", "0:0:0:0:0:0:0:1", "2001:DB8::7", "*", ""})
    EXPECT_NE(with(std::string("'") + wrong + "'").find("gateway.exempt_addresses[0]"), std::string::npos) << wrong;
}

TEST(Shared, an_operation_has_one_limit) {
  const auto with = [](const std::string& limits) {
    return faults_of(replaced(example_shared_site(), "guard:\n", "gateway: {limits: [" + limits + "]}\nguard:\n"));
  };
  const std::string one = "{operation: listTags, calls_per_s: 5}";
  EXPECT_EQ(with(one + ", {operation: listSamples, calls_per_s: 0.5, calls_burst: 3}"), "");
  EXPECT_NE(with(one + ", " + one).find("gateway.limits[1].operation: has its limit already"), std::string::npos);
  EXPECT_NE(with("{operation: listTags}").find("calls_per_s"), std::string::npos);
}

TEST(Shared, a_key_is_named_for_what_it_encrypts) {
  const auto with = [](const std::string& storage) {
    return faults_of(replaced(example_shared_site(), "guard:\n", "storage: {" + storage + "}\nguard:\n"));
  };
  EXPECT_EQ(with("encrypted: true, key_file: /etc/rltune/north.key"), "");
  EXPECT_EQ(with("encrypted: true"), "") << "the environment or systemd gives it";
  EXPECT_NE(with("key_file: /etc/rltune/north.key").find("is of no use without encrypted"), std::string::npos);
}

TEST(Shared, what_came_with_version_2_is_not_taken_in_version_1) {
  for (const auto& [from, to] : {std::pair{"      costs: {heat: 0.1 * heating}\n", "      baseline_reward: 0.5\n"},
                                 std::pair{"guard:\n", "storage: {audit_heads: /mnt/heads}\nguard:\n"},
                                 std::pair{"guard:\n", "storage: {encrypted: true}\nguard:\n"}}) {
    EXPECT_NE(faults_of(replaced(example_site(), from, to)).find("came with version 2"), std::string::npos) << to;
    const auto newer = replaced(replaced(example_site(), "site/v1", "site/v2"), from, to);
    EXPECT_EQ(faults_of(newer), "");
    EXPECT_FALSE(migrate(newer, "site.yaml", 1)) << "back is refused where something would be lost";
  }
}

TEST(Retention, how_many_of_the_newest_backups_stay_came_with_version_2) {
  const std::string newer = replaced(example_retention(), "  daily: 7\n", "  newest: 28\n  daily: 7\n");
  EXPECT_EQ(faults_of(newer), "");
  EXPECT_NE(faults_of(replaced(newer, "/v2", "/v1")).find("'newest' came with version 2"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Users, KindFault,
    ::testing::Values(
        Wrong{Kind::users, "name: grace", "name: ada", "users[1].name: 'ada' is given twice"},
        Wrong{Kind::users, "name: grace", "name: ../grace", "may hold letters, digits, '-' and '_' only"},
        Wrong{Kind::users, "role: operator", "role: root",
              "'root' is not one of viewer, operator, engineer, admin, administrator, service"},
        Wrong{Kind::users, "role: administrator", "role: engineer", "nobody could change a user any more"},
        Wrong{Kind::users, "role: administrator", "role: administrator\n    enabled: false", "one that is enabled"},
        Wrong{Kind::users, "password_hash_file: secrets/ada.hash", "password: hunter2", "'password' is a secret"},
        Wrong{Kind::users, "secrets/ada.hash", "../../etc/shadow", "must not hold '..'"},
        Wrong{Kind::users, "secrets/ada.hash", "secrets/", "must name a file, not a folder"},
        Wrong{Kind::users, "https://login", "http://login", "must read https://host..."},
        Wrong{Kind::users, "client_id: ", "scopes: email\n  client_id: ", "has to hold 'openid'"},
        Wrong{Kind::users, "client_id: ", "public_url: https://plant:8443/\n  client_id: ", "without '/'"},
        Wrong{Kind::users, "client_id: ", "public_url: http://plant:8443\n  client_id: ", "must read https://host..."},
        Wrong{Kind::users, "client_id: ", "required_amr: [mfa, a b]\n  client_id: ", "words without blanks"},
        Wrong{Kind::users, "name: grace", "name: break-glass", "is the account for emergencies"},
        Wrong{Kind::users, "NORTH_CLIENT_SECRET", "hunter2", "never the secret itself"},
        Wrong{Kind::users, "  client_secret_env: NORTH_CLIENT_SECRET\n", "", "needs a client_secret_file or"},
        Wrong{Kind::users, "attempts_max: 5", "attempts_max: 0", "must be at least 1"}));

INSTANTIATE_TEST_SUITE_P(
    Others, KindFault,
    ::testing::Values(
        Wrong{Kind::alerts, "{agent: climate}", "{agent-id: climate}", "is not the name of a label"},
        Wrong{Kind::telemetry, "{io: DEBUG}", "{twin: DEBUG}", "there is no role 'twin'"},
        Wrong{Kind::retention, "audit_days: 3650", "audit_days: 30", "must be at least 365"},
        Wrong{Kind::retention, "daily: 7", "daily: 7.5", "must be a whole number"},
        Wrong{Kind::alerts, "metric: rltune_agent_alive", "metric: agent alive", "is not the name of a metric"},
        Wrong{Kind::alerts, "    limit: 1\n", "", "needs 'limit'"},
        Wrong{Kind::alerts, "when: below", "when: absent", "is of no use with when: absent"},
        Wrong{Kind::alerts, "[oncall, journal]", "[oncal]", "there is no channel 'oncal'; did you mean 'oncall'?"},
        Wrong{Kind::alerts, "[oncall, journal]", "[]", "must name at least one channel"},
        Wrong{Kind::alerts, "smtps://", "http://", "must read smtps://host..."},
        Wrong{Kind::alerts, "smtps://mail", "smtps://me:x@mail", "holds a user or a password"},
        Wrong{Kind::alerts, "    password_file: secrets/mail\n", "", "needs a password_file or a password_env"},
        Wrong{Kind::alerts, "oncall@example.com", "oncall", "is not an address"},
        Wrong{Kind::telemetry, "level: INFO", "level: TRACE", "'TRACE' is not one of DEBUG, INFO"},
        Wrong{Kind::telemetry, "{io: DEBUG}", "{oi: DEBUG}", "there is no role 'oi'"},
        Wrong{Kind::telemetry, "{io: DEBUG}", "{io: LOUD}", "levels.io: 'LOUD' is not one of"},
        Wrong{Kind::telemetry, "https://telemetry", "http://telemetry", "must read https://host"},
        Wrong{Kind::telemetry, "  token_env: NORTH_TELEMETRY_TOKEN\n", "", "needs a token_file or a token_env"},
        Wrong{Kind::telemetry, "url: https://tsdb", "url: http://tsdb", "must read https://host"},
        Wrong{Kind::telemetry, "[metrics]", "[logs]", "'logs' is not one of what kind: remote_write takes: metrics"},
        Wrong{Kind::telemetry, "    region: eu-central-1\n", "", "sigv4 needs 'region' and 'service'"},
        Wrong{Kind::telemetry, "    user: AKEXAMPLE\n", "", "sigv4 needs 'user'"},
        Wrong{Kind::telemetry, "    secret_env: NORTH_SEARCH_KEY\n", "", "needs a secret_file or a secret_env"},
        Wrong{Kind::telemetry, "    key_file: secrets/north.key\n", "", "certificate_file and key_file together"},
        Wrong{Kind::telemetry, "name: tsdb", "name: search", "'search' is given twice"},
        Wrong{Kind::telemetry, "name: tsdb", "name: forward", "is what the group `forward` is called"},
        Wrong{Kind::telemetry, "http://127.0.0.1:9100", "ftp://127.0.0.1:9100", "must start with http:// or https://"},
        Wrong{Kind::telemetry, "port: 8325", "port: 70000", "must be at least 0 and at most 65535"},
        Wrong{Kind::telemetry, "sample_ratio: 0.1", "sample_ratio: 10", "must be at least 0 and at most 1"}));

}  // namespace
}  // namespace rltune::config
