#include "rltune/alerts/default_rules.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "rltune/base/file.hpp"

namespace rltune::alerts {
namespace {

TEST(DefaultRules, are_the_file_that_is_shipped_and_tell_the_log) {
  EXPECT_EQ(read_file(RLTUNE_SOURCE_DIR "/deploy/alerts.yaml").value(), default_rules_yaml());
  const config::Alerts rules = default_rules();
  EXPECT_GE(rules.alerts.size(), 20U);
  for (const config::Alert& rule : rules.alerts) {
    EXPECT_EQ(rule.channels, std::vector<std::string>{"log"}) << rule.name;
    EXPECT_FALSE(rule.action.empty()) << rule.name << " does not say what to do";
  }
}

TEST(DefaultRules, call_no_site_offline_whose_roles_nobody_asks) {
  const auto has_offline = [](const config::Alerts& rules) {
    return std::ranges::contains(rules.alerts, "gateway_offline", &config::Alert::name);
  };
  EXPECT_TRUE(has_offline(default_rules()));
  EXPECT_FALSE(has_offline(default_rules(false)));
  EXPECT_EQ(default_rules(false).alerts.size() + 1, default_rules().alerts.size());
}

std::string sources() {
  std::string text;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(RLTUNE_SOURCE_DIR "/src"))
    if ((entry.path().extension() == ".cpp" || entry.path().extension() == ".hpp") &&
        !entry.path().stem().string().ends_with("_test"))
      text += read_file(entry.path()).value_or("");
  return text;
}

std::string without_suffix(std::string name) {
  for (const std::string suffix : {"_bucket", "_sum", "_count"})
    if (name.ends_with(suffix)) return name.substr(0, name.size() - suffix.size());
  return name;
}

TEST(DefaultRules, and_dashboards_name_nothing_that_no_role_tells) {
  const std::string all = sources();
  const std::filesystem::path deploy = RLTUNE_SOURCE_DIR "/deploy";
  std::vector<std::filesystem::path> files{deploy / "alerts.yaml", deploy / "rltune.rules.yml"};
  for (const auto& entry : std::filesystem::directory_iterator(deploy / "grafana/dashboards"))
    files.push_back(entry.path());
  ASSERT_EQ(files.size(), 5U);
  const std::regex metric(R"(\b(rltune|process|scrape)_[a-z0-9_]+\b)");
  std::set<std::string> names;
  for (const auto& file : files) {
    const std::string text = read_file(file).value();
    for (std::sregex_iterator at(text.begin(), text.end(), metric), end; at != end; ++at) names.insert(at->str());
  }
  EXPECT_GT(names.size(), 40U);
  for (const std::string& name : names)
    EXPECT_TRUE(all.contains('"' + name + '"') || all.contains('"' + without_suffix(name) + '"')) << name;
}

// `rltune config alert-rules deploy/alerts.yaml --out deploy/rltune.rules.yml` makes it anew.
TEST(DefaultRules, are_the_rule_file_for_prometheus) {
  EXPECT_EQ(read_file(RLTUNE_SOURCE_DIR "/deploy/rltune.rules.yml").value(),
            config::prometheus_rules(default_rules(), ""));
  EXPECT_EQ(std::system("promtool check rules " RLTUNE_SOURCE_DIR "/deploy/rltune.rules.yml >/dev/null"), 0);
}

}  // namespace
}  // namespace rltune::alerts
