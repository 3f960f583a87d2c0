#include <cmath>
#include <format>
#include <nlohmann/json.hpp>

#include "rltune/config/alerts.hpp"

namespace rltune::config {
namespace {

// JSON's strings are YAML's, and PromQL's.
std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string selector(const Alert& alert, const std::string& site) {
  auto labels = alert.labels;
  if (!site.empty()) labels.emplace("site", site);
  std::string matchers;
  for (const auto& [name, value] : labels)
    matchers += std::format("{}{}={}", matchers.empty() ? "" : ", ", name, quoted(value));
  return alert.metric + (matchers.empty() ? "" : "{" + matchers + "}");
}

std::string expression(const Alert& alert, const std::string& site) {
  const std::string series = selector(alert, site);
  if (alert.when == "absent") return std::format("absent({})", series);
  return std::format("{} {} {}", series, alert.when == "above" ? ">" : "<", alert.limit);
}

std::string summary(const Alert& alert) {
  const std::string where = "{{ if $labels.site }}{{ $labels.site }}: {{ end }}";
  if (alert.when == "absent") return std::format("{}{} is not reported", where, alert.metric);
  return std::format("{}{} is {{{{ $value }}}}, {} {}", where, alert.metric, alert.when, alert.limit);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

}  // namespace

std::string prometheus_rules(const Alerts& alerts, const std::string& site) {
  std::string text =
      "# Made by 'rltune config alert-rules'. Who is told is Alertmanager's part: route by the label `channels`, and\n"
      "# repeat as the annotation `repeat_minutes` says.\n"
      "groups:\n";
  text += std::format("  - name: {}\n    rules:{}\n", quoted(site.empty() ? "rltune" : "rltune " + site),
                      alerts.alerts.empty() ? " []" : "");
  for (const Alert& alert : alerts.alerts) {
    text += std::format("      - alert: {}\n        expr: {}\n", quoted(alert.name), quoted(expression(alert, site)));
    text += std::format("        for: {}ms\n", std::llround(1e3 * alert.for_s));
    text += std::format("        labels: {{severity: {}, channels: {}}}\n", quoted(alert.severity),
                        quoted(joined(alert.channels)));
    text += std::format("        annotations:\n          summary: {}\n          repeat_minutes: \"{}\"\n",
                        quoted(summary(alert)), alert.repeat_minutes);
  }
  return text;
}

}  // namespace rltune::config
