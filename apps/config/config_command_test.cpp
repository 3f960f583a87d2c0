// The real executable: what an operator and a program see.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "command_answer.hpp"
#include "example_kinds.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune {
namespace {

using config::example_site;
using config::replaced;
using nlohmann::json;

using Answer = CommandAnswer;

class ConfigCommandTest : public ::testing::Test {
 protected:
  void SetUp() override { write("site.yaml", example_site()); }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  void write(const std::string& name, const std::string& text) const { ASSERT_TRUE(write_file(path(name), text)); }
  std::string here() const { return " --folder " + folder_.path().string(); }

  Answer run(const std::string& arguments) const {
    return run_command(RLTUNE_BIN_DIR "/rltune config " + arguments, folder_.path());
  }

  TemporaryFolder folder_;
};

TEST_F(ConfigCommandTest, check_names_file_line_and_field_of_every_fault) {
  write("users.yaml", replaced(config::example_users(), "role: operator", "role: root"));
  const Answer text = run("check " + path("site.yaml") + " " + path("users.yaml"));
  EXPECT_EQ(text.status, 1);
  EXPECT_EQ(text.out, path("site.yaml") + ": valid, rltune/site/v1\n");
  EXPECT_NE(text.err.find(path("users.yaml") + ":8: users[1].role: 'root' is not one of"), std::string::npos)
      << text.err;
  const json report = json::parse(run("check --json " + path("users.yaml")).out);
  EXPECT_EQ(report["files"][0]["faults"][0]["line"], 8);
  EXPECT_EQ(report["files"][0]["faults"][0]["field"], "users[1].role");
}

TEST_F(ConfigCommandTest, a_change_is_tried_applied_seen_and_taken_back) {
  EXPECT_EQ(run("apply " + path("site.yaml") + " --reason first").status, 0);
  write("draft.yaml", replaced(example_site(), "step_max: 15", "step_max: 10"));
  const Answer dry = run("apply " + path("draft.yaml") + " --dry-run");
  EXPECT_EQ(dry.status, 0) << dry.err;
  EXPECT_EQ(dry.out,
            "site.yaml: 1 change\n  guard.outputs[heating].step_max: 15 -> 10   live in io\n"
            "The site does not run; its roles would start with it.\n");
  EXPECT_EQ(read_file(path("site.yaml")).value(), example_site()) << "a dry run changes nothing";

  const json applied = json::parse(run("apply " + path("draft.yaml") + " --reason 'softer' --author ada --json").out);
  EXPECT_EQ(applied["applied"], true);
  EXPECT_EQ(applied["live"], json({"io"}));
  EXPECT_EQ(applied["restarts"], json::array());
  EXPECT_NE(read_file(path("site.yaml"))->find("step_max: 10"), std::string::npos);

  const json history = json::parse(run("history --json" + here()).out);
  ASSERT_EQ(history["versions"].size(), 2U);
  EXPECT_EQ(history["versions"][0]["author"], "ada");
  EXPECT_EQ(history["versions"][0]["reason"], "softer");
  EXPECT_EQ(history["versions"][0]["version"], applied["version"]);
  EXPECT_EQ(run("diff HEAD~1 HEAD" + here()).out,
            "site.yaml: 1 change\n  guard.outputs[heating].step_max: 15 -> 10   live in io\n");
  EXPECT_NE(run("diff HEAD~1 --text" + here()).out.find("-      step_max: 15\n+      step_max: 10\n"),
            std::string::npos);
  EXPECT_EQ(run("show --at HEAD~1" + here()).out, example_site());

  EXPECT_EQ(run("restore HEAD~1 --reason worse" + here()).status, 0);
  EXPECT_EQ(read_file(path("site.yaml")).value(), example_site());
  EXPECT_EQ(json::parse(run("history --json" + here()).out)["versions"].size(), 3U);
}

// Prometheus' own tool runs the rules on series of the test.
TEST_F(ConfigCommandTest, alerts_become_rules_of_prometheus) {
  write("alerts.yaml",
        config::example_alerts() +
            "  - {name: hot, metric: rltune_process_data_tag_value, labels: {tag: \"a \\\"b\\\"\"}, when: above, "
            "limit: 1.5, "
            "for_s: 0.5, channels: [journal]}\n"
            "  - {name: mute, metric: rltune_role_info, when: absent, for_s: 60, channels: [journal]}\n");
  ASSERT_EQ(run("alert-rules " + path("alerts.yaml") + " --out " + path("rules.yml")).status, 0);
  write("cases.yml", R"(rule_files: [rules.yml]
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - {series: 'rltune_agent_alive{site="pilot", agent="climate"}', values: '1 1 0 0 0 0 0'}
      - {series: 'rltune_agent_alive{site="other", agent="climate"}', values: '0 0 0 0 0 0 0'}
      - {series: 'rltune_process_data_tag_value{site="pilot", tag="a \"b\""}', values: '1 1 2 2 2 2 2'}
      - {series: 'rltune_role_info{site="other"}', values: '1 1 1 1 1 1 1'}
    alert_rule_test:
      - {eval_time: 45s, alertname: agent_lost, exp_alerts: []}
      - eval_time: 75s
        alertname: agent_lost
        exp_alerts:
          - exp_labels: {severity: error, channels: 'oncall,journal', site: pilot, agent: climate}
            exp_annotations: {summary: 'pilot: rltune_agent_alive is 0, below 1', repeat_minutes: '240'}
      - eval_time: 45s
        alertname: hot
        exp_alerts:
          - exp_labels: {severity: warning, channels: journal, site: pilot, tag: 'a "b"'}
            exp_annotations: {summary: 'pilot: rltune_process_data_tag_value is 2, above 1.5', repeat_minutes: '240'}
      - eval_time: 75s
        alertname: mute
        exp_alerts:
          - exp_labels: {severity: warning, channels: journal, site: pilot}
            exp_annotations: {summary: 'pilot: rltune_role_info is not reported', repeat_minutes: '240'}
)");
  const Answer judged = run_command(
      "promtool check rules " + path("rules.yml") + " && promtool test rules " + path("cases.yml") + " 2>&1",
      folder_.path());
  EXPECT_EQ(judged.status, 0) << judged.out << judged.err;
}

TEST_F(ConfigCommandTest, what_is_wrong_changes_nothing_and_says_what_to_do) {
  EXPECT_EQ(run("history" + here()).status, 1);
  EXPECT_NE(run("history" + here()).err.find("rltune config apply FILE"), std::string::npos);
  EXPECT_EQ(run("apply " + path("site.yaml")).status, 2) << "no reason";
  write("draft.yaml", replaced(example_site(), "step_max: 15", "step_max: x"));
  const Answer bad = run("apply " + path("draft.yaml") + " --reason x --json");
  EXPECT_EQ(bad.status, 1);
  EXPECT_EQ(json::parse(bad.out)["faults"][0]["field"], "guard.outputs[0].step_max");
  EXPECT_FALSE(std::filesystem::exists(path("config.git")));
  EXPECT_EQ(run("schema sites").status, 2);
  EXPECT_EQ(run("show users" + here()).status, 1);
}

TEST_F(ConfigCommandTest, nothing_that_is_printed_holds_a_secret) {
  write("site.yaml", replaced(example_site(), "password_env: PILOT_PASSWORD", "password: hunter2"));
  for (const std::string& verb : {"check " + path("site.yaml"), "apply --reason x " + path("site.yaml"),
                                  "migrate " + path("site.yaml"), "show" + here()}) {
    const Answer answer = run(verb);
    EXPECT_EQ((answer.out + answer.err).find("hunter2"), std::string::npos) << verb;
  }
}

TEST_F(ConfigCommandTest, migration_and_schemas_go_to_a_file_or_stdout) {
  EXPECT_EQ(run("migrate " + path("site.yaml")).out, replaced(example_site(), "site/v1", "site/v2"));
  EXPECT_EQ(run("migrate --out " + path("new.yaml") + " --json " + path("site.yaml")).status, 0);
  EXPECT_EQ(run("migrate --to 1 " + path("new.yaml")).out, example_site());
  write("shared.yaml", config::example_shared_site());
  const Answer back = run("migrate --to 1 " + path("shared.yaml"));
  EXPECT_EQ(back.status, 1);
  EXPECT_NE(back.err.find("'budgets' came with version 2"), std::string::npos) << back.err;
  EXPECT_EQ(json::parse(run("schema alerts").out)["title"], "RLTune alerts");
  EXPECT_EQ(run("schema --reference").out, read_file(RLTUNE_SOURCE_DIR "/docs/config.md").value_or(""));
}

}  // namespace
}  // namespace rltune
