#include "rltune/config/site.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "example_site.hpp"
#include "rltune/base/file.hpp"
#include "rltune/config/document.hpp"
#include "yaml_tree.hpp"

namespace rltune::config {
namespace {

// The faults of the example with one text replaced.
std::string faults(const std::string& from, const std::string& to) {
  const auto site = parse_site(example_site_with(from, to), "site.yaml");
  return site ? "accepted" : site.error().message;
}

TEST(Site, the_example_is_accepted_and_read_whole) {
  const auto site = parse_site(example_site(), "site.yaml");
  ASSERT_TRUE(site) << site.error().message;
  EXPECT_EQ(site->name, "pilot");
  EXPECT_EQ(site->clock, ClockKind::wall);
  EXPECT_EQ(site->link.security, "Basic256Sha256");
  ASSERT_EQ(site->tags.size(), 7U);
  EXPECT_EQ(site->tags[0].operating->high, 60.0);
  EXPECT_EQ(site->tags[2].role, TagRole::forecast);
  EXPECT_EQ(site->tags[2].elements, 12U);
  EXPECT_EQ(site->agents[0].learning.costs.at("heat"), "0.1 * heating");
  EXPECT_EQ(site->agents[0].plant, "lettuce");
  EXPECT_EQ(site->guard.mode, "automatic") << "auto is short for automatic";
  EXPECT_EQ(site->guard.outputs[0].mode_remote, std::vector<double>{2.0});
  EXPECT_EQ(site->find_tag("heating"), 3U);
  EXPECT_FALSE(site->find_tag("cooling"));
}

TEST(Site, an_unknown_field_names_file_line_path_and_the_nearest_field) {
  EXPECT_EQ(faults("imputation: hold", "stail_after_s: 3"),
            "site.yaml:13: tags[0]: unknown field 'stail_after_s'; did you mean 'stale_after_s'?");
}

TEST(Site, a_wrong_word_lists_the_allowed_ones) {
  EXPECT_EQ(faults("role: setpoint", "role: output"),
            "site.yaml:24: tags[3].role: 'output' is not one of measurement, exogenous, forecast, setpoint, mode, "
            "heartbeat, clock");
  EXPECT_EQ(faults("mode: auto\n", "mode: autopilot\n"),
            "site.yaml:48: guard.mode: 'autopilot' is not one of manual, shadow, advisory, automatic, auto");
}

TEST(Site, every_fault_is_listed_in_the_order_of_lines) {
  std::string text = example_site_with("rate_per_s: 1\n", "rate_per_s: -1\n");
  text.replace(text.find("period_s: 60"), 12, "period_s: 0 ");
  EXPECT_EQ(parse_site(text, "site.yaml").error().message,
            "site.yaml:40: agents[0].period_s: 0 must be at least 0.001 and at most 604800\n"
            "site.yaml:52: guard.outputs[0].rate_per_s: -1 must be at least 0 and at most 1000000000");
}

struct Fault {
  const char* from;
  const char* to;
  const char* message;
};

class SiteFault : public ::testing::TestWithParam<Fault> {};

TEST_P(SiteFault, is_refused_with_its_reason) {
  const std::string message = faults(GetParam().from, GetParam().to);
  EXPECT_NE(message.find(GetParam().message), std::string::npos) << message;
}

INSTANTIATE_TEST_SUITE_P(
    Values, SiteFault,
    ::testing::Values(
        Fault{"period_s: 60", "period_s: .nan", "agents[0].period_s: must be a finite number, not '.nan'"},
        Fault{"period_s: 60", "period_s: 1e999", "must be a finite number, not '1e999'"},
        Fault{"period_s: 60", "period_s: '60'", "must be a finite number, not '60': write it without quotes"},
        Fault{"period_s: 60", "period_s: 60s", "must be a finite number, not '60s'"},
        Fault{"period_s: 60", "period_s: [60]", "must be a finite number, not a list"},
        Fault{"period_s: 60", "period_s:", "agents[0].period_s: has no value: give one, or remove the line"},
        Fault{"elements: 12", "elements: 1.5", "1.5 must be a whole number"},
        Fault{"elements: 12", "elements: 1e9", "must be at least 1 and at most 100000"},
        Fault{"enabled: true", "enabled: yes", "'yes' is not one of true, false"},
        Fault{"schema: rltune/site/v1", "schema: rltune/site/v3",
              "'rltune/site/v3' is not one of rltune/site/v1, rltune/site/v2"},
        Fault{"schema: rltune/site/v1\n", "", "the field 'schema' is missing"},
        Fault{"name: pilot", "name: ../etc", "may hold letters, digits, '-' and '_' only"},
        Fault{"outputs: [heating]", "outputs: heating", "agents[0].outputs: must be a list, not 'heating'"},
        Fault{"outputs: [heating]", "outputs: []", "must name at least one set-point"}));

INSTANTIATE_TEST_SUITE_P(
    Link, SiteFault,
    ::testing::Values(
        Fault{"password_env: PILOT_PASSWORD", "password: hunter2",
              "'password' is a secret and does not belong in a site file"},
        Fault{"password_env: PILOT_PASSWORD", "security: None", "allow_insecure: true"},
        Fault{"  password_env: PILOT_PASSWORD\n", "", "link.user: needs a password_file or a password_env"},
        Fault{"  user: rltune\n", "", "link.password_env: is of no use without a user"},
        Fault{"password_env: PILOT_PASSWORD", "password_env: A\n  password_file: b", "not both"},
        Fault{"opc.tcp://127.0.0.1:4840", "http://127.0.0.1", "must start with opc.tcp://"},
        Fault{"opc.tcp://127.0.0.1:4840", "opc.tcp://me:secret@host", "holds a user or a password"},
        Fault{"user: rltune", "user: rltune\n  reconnect_max_s: 0.01", "must be at least reconnect_min_s, 0.1"}));

INSTANTIATE_TEST_SUITE_P(
    Tags, SiteFault,
    ::testing::Values(
        Fault{"name: outdoor\n", "name: temperature\n", "'temperature' is also the name of tags[0]"},
        Fault{"name: outdoor\n", "name: min\n", "'min' is a word of the expressions"},
        Fault{"name: outdoor\n", "name: out-door\n", "must start with a letter and hold letters, digits and _ only"},
        Fault{"s=outdoor\n", "s=temperature\n", "is also the node of tags[0], 'temperature'"},
        Fault{"node: nsu=urn:pilot;s=outdoor\n", "node: ns=2;s=outdoor\n", "names its namespace by index"},
        Fault{"node: nsu=urn:pilot;s=outdoor\n", "node: outdoor\n", "must read nsu=<namespace URI>;s=<identifier>"},
        Fault{"{low: -10, high: 60}", "{low: 60, high: -10}", "low 60 must be below high -10"},
        Fault{"{low: -10, high: 60}", "{low: -10}", "tags[0].operating: the field 'high' is missing"},
        Fault{"expected: {low: 10, high: 30}", "expected: {low: 10, high: 300}",
              "must lie inside operating, -10 to 60"},
        Fault{"imputation: hold", "imputation: value", "value needs imputation_value"},
        Fault{"imputation: hold", "imputation: value\n    imputation_value: 99", "99 must lie inside operating"},
        Fault{"imputation: hold", "imputation_value: 3", "is of use with imputation: value only"},
        Fault{"forecasts: outdoor", "forecasts: outdor", "there is no tag 'outdor'; did you mean 'outdoor'?"},
        Fault{"forecasts: outdoor", "forecasts: heating", "tag 'heating' has role setpoint; it must be exogenous"},
        Fault{"    forecasts: outdoor\n", "", "needs 'forecasts', the exogenous tag it predicts"},
        Fault{"role: mode", "role: mode\n    elements: 2", "a tag of role mode has one element"},
        Fault{"imputation: hold", "forecasts: outdoor", "is for role forecast only"}));

INSTANTIATE_TEST_SUITE_P(
    Agents, SiteFault,
    ::testing::Values(
        Fault{"outputs: [heating]", "outputs: [heating, heating]",
              "already belongs to agent 'climate'; a set-point has one owner"},
        Fault{"outputs: [heating]", "outputs: [temperature]",
              "tag 'temperature' has role measurement; it must be setpoint"},
        Fault{"fallback: rule", "fallback: rool", "'rool' is not one of off, hold, schedule, grower, rule, pid, mpc"},
        Fault{"    plant: lettuce\n", "", "agents[0].fallback: rule needs 'plant'"},
        Fault{"fallback: rule", "bindings: {air: temprature}",
              "there is no tag 'temprature'; did you mean 'temperature'?"},
        Fault{"fallback: rule", "season_days: 40", "needs season_start"},
        Fault{"fallback: rule", "season_start: tomorrow", "'tomorrow' is not a time"},
        Fault{"reward: temperature - previous(temperature)", "reward: temperature - previus(temperature)",
              "there is no 'previus'; did you mean 'previous'"},
        Fault{"reward: temperature - previous(temperature)", "reward: outdoor_forecast",
              "there is no 'outdoor_forecast'"},
        Fault{"      reward: temperature - previous(temperature)\n", "", "learning needs a reward"},
        Fault{"heat: 0.1 * heating", "heat: 0.1 heating", "agents[0].learning.costs.heat: column"},
        Fault{"enabled: true", "explore: true", "explore_within has no range for 'heating'"},
        Fault{"enabled: true", "explore_within: {heating: {low: 0, high: 160}}",
              "must lie inside the guard's limits, 0 to 150"},
        Fault{"enabled: true", "explore_within: {temperature: {low: 0, high: 1}}", "is not an output of this agent"}));

INSTANTIATE_TEST_SUITE_P(
    GuardRules, SiteFault,
    ::testing::Values(
        Fault{"limits: {low: 0, high: 150}", "limits: {low: 0, high: 250}",
              "must lie inside the operating range of 'heating', 0 to 200"},
        Fault{"safe_value: 0", "safe_value: 151", "151 must lie inside limits, 0 to 150"},
        Fault{"      safe_value: 0\n", "", "guard.outputs[0]: the field 'safe_value' is missing"},
        Fault{"tag: heating", "tag: heeting", "there is no tag 'heeting'; did you mean 'heating'?"},
        Fault{"tag: heating", "tag: heeting", "set-point 'heating' has no rules in guard.outputs"},
        Fault{"step_max: 15", "minimum_on_s: 60\n      on_above: 150", "the output could never switch"},
        Fault{"mode_tag: heating_mode", "mode_tag: outdoor", "tag 'outdoor' has role exogenous; it must be mode"},
        Fault{"      mode_remote: [2]\n", "", "needs mode_remote"},
        Fault{"      mode_tag: heating_mode\n", "", "is of no use without mode_tag"},
        Fault{"require: temperature < 38", "require: temprature < 38",
              "column 1: there is no 'temprature'; did you mean 'temperature'?"},
        Fault{"require: temperature < 38", "require: previous(temperature) < 38",
              "an interlock looks at the present only"},
        Fault{"require: temperature < 38", "require: 1 < 38", "uses no tag"},
        Fault{"name: too_hot", "name: too_hot\n      outputs: [heeting]",
              "'heeting' has no rules in guard.outputs; did you mean 'heating'?"},
        Fault{"guard_alive: guard_alive\n", "guard_alive: agent_alive\n", "must be another tag than guard_alive"},
        Fault{"name: pilot", "name: pilot\nclock: plant", "clock: plant needs plant_clock with step and advance"},
        Fault{"name: pilot", "name: pilot\nclock: plant\nplant_clock: {step: outdoor, advance: heating}",
              "it must be clock"},
        Fault{"name: pilot", "name: pilot\nplant_clock: {step: a, advance: b}", "is for clock: plant only"}));

TEST(Site, a_missing_file_is_named) {
  const auto site = load_site("/nonexistent/site.yaml");
  ASSERT_FALSE(site);
  EXPECT_NE(site.error().message.find("/nonexistent/site.yaml"), std::string::npos);
}

TEST(Site, what_is_not_a_site_is_refused) {
  EXPECT_NE(parse_site("just text", "f").error().message.find("must be a group of fields"), std::string::npos);
  EXPECT_NE(parse_site("[1, 2]", "f").error().message.find("must be a group of fields"), std::string::npos);
  EXPECT_NE(parse_site("schema: rltune/site/v1\ntags: [1, 2]", "f")
                .error()
                .message.find("tags[1]: must be a group of fields"),
            std::string::npos);
}

// As much of JSON Schema as ours uses.
std::string violation(const nlohmann::json& schema, const YamlNode& node, const std::string& path) {
  const std::string type = schema.at("type");
  const bool is_map = node.kind == YamlNode::Kind::map, is_list = node.kind == YamlNode::Kind::sequence;
  if ((type == "object") != is_map || (type == "array") != is_list) return path + " is not of type " + type;
  if (schema.contains("const") && schema["const"] != node.scalar) return path + " is not the only one allowed";
  if (schema.contains("enum") && std::ranges::find(schema["enum"], nlohmann::json(node.scalar)) == schema["enum"].end())
    return path + " is not in the enum";
  if (type == "number" || type == "integer") {
    const double value = std::stod(node.scalar);
    if (schema.contains("minimum") && value < schema["minimum"].get<double>()) return path + " is below the minimum";
    if (schema.contains("maximum") && value > schema["maximum"].get<double>()) return path + " is above the maximum";
  }
  for (std::size_t i = 0; is_list && i < node.items.size(); ++i)
    if (auto wrong = violation(schema.at("items"), node.items[i], path + "[]"); !wrong.empty()) return wrong;
  if (!is_map) return "";
  for (const auto& name : schema.value("required", nlohmann::json::array()))
    if (std::ranges::find(node.keys, name.get<std::string>()) == node.keys.end())
      return path + " lacks " + name.get<std::string>();
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const bool known = schema.contains("properties") && schema["properties"].contains(node.keys[i]);
    const nlohmann::json& inner = known ? schema["properties"][node.keys[i]] : schema.at("additionalProperties");
    if (inner.is_boolean()) return path + "." + node.keys[i] + " is not in the schema";
    if (auto wrong = violation(inner, node.items[i], path + "." + node.keys[i]); !wrong.empty()) return wrong;
  }
  return "";
}

TEST(Site, the_json_schema_accepts_what_the_reader_accepts_and_refuses_what_it_refuses) {
  const auto schema = nlohmann::json::parse(json_schema({Kind::site, 1}));
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  const auto check = [&](const std::string& text) { return violation(schema, *parse_yaml(text), "site"); };
  EXPECT_EQ(check(example_site()), "");
  EXPECT_EQ(check(example_site_with("site/v1", "site/v2")), "site.schema is not the only one allowed");
  EXPECT_EQ(check(example_site_with("role: setpoint", "role: output")), "site.tags[].role is not in the enum");
  EXPECT_EQ(check(example_site_with("period_s: 60", "perod_s: 60")), "site.agents[].perod_s is not in the schema");
  EXPECT_EQ(check(example_site_with("period_s: 60", "period_s: 0")), "site.agents[].period_s is below the minimum");
  EXPECT_EQ(check(example_site_with("      safe_value: 0\n", "")), "site.guard.outputs[] lacks safe_value");
  EXPECT_EQ(schema["properties"]["storage"]["properties"]["raw_days"]["default"], 7.0);
}

TEST(Site, the_lettuce_example_is_accepted) {
  const auto site = load_site(RLTUNE_SOURCE_DIR "/examples/lettuce-site/site.yaml");
  ASSERT_TRUE(site) << site.error().message;
  EXPECT_EQ(site->folder, RLTUNE_SOURCE_DIR "/examples/lettuce-site");
  EXPECT_EQ(site->clock, ClockKind::plant);
  EXPECT_TRUE(site->find_tag("air_temperature"));
}

TEST(Site, the_reactor_example_is_accepted) {
  const auto site = load_site(RLTUNE_SOURCE_DIR "/examples/reactor-site/site.yaml");
  ASSERT_TRUE(site) << site.error().message;
  EXPECT_EQ(site->guard.interlocks.size(), 1U);
}

}  // namespace
}  // namespace rltune::config
