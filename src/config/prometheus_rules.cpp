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

std::string selector(const std::string& metric, std::map<std::string, std::string> labels, const std::string& site) {
  if (!site.empty()) labels.emplace("site", site);
  std::string matchers;
  for (const auto& [name, value] : labels)
    matchers += std::format("{}{}={}", matchers.empty() ? "" : ", ", name, quoted(value));
  return metric + (matchers.empty() ? "" : "{" + matchers + "}");
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

// What is compared with the limit.
std::string figure(const Alert& alert, const std::string& site) {
  std::string series = selector(alert.metric, alert.labels, site);
  const long long window_ms = std::llround(1e3 * alert.window_s);
  if (alert.of == "age") return std::format("time() - {}", series);
  if (alert.of == "rate" || alert.of == "increase") return std::format("{}({}[{}ms])", alert.of, series, window_ms);
  if (alert.of != "ratio") return series;
  std::vector<std::string> ignored;
  for (const auto& [name, value] : alert.labels) ignored.push_back(name);
  const std::string matching = ignored.empty() ? "" : std::format(" ignoring({})", joined(ignored));
  return std::format("increase({0}[{1}ms]) /{2} increase({3}[{1}ms])", series, window_ms, matching,
                     selector(alert.per, {}, site));
}

std::string expression(const Alert& alert, const std::string& site) {
  if (alert.when == "absent") return std::format("absent({})", selector(alert.metric, alert.labels, site));
  return std::format("{} {} {}", figure(alert, site), alert.when == "above" ? ">" : "<", alert.limit);
}

std::string summary(const Alert& alert) {
  const std::string where = "{{ if $labels.site }}{{ $labels.site }}: {{ end }}";
  if (alert.when == "absent") return std::format("{}{} is not reported", where, alert.metric);
  const std::string what = alert.of == "value" ? alert.metric : alert.of + " of " + alert.metric;
  return std::format("{}{} is {{{{ $value }}}}, {} {}", where, what, alert.when, alert.limit);
}

std::string rule(const Alert& alert, const std::string& site) {
  std::string text =
      std::format("      - alert: {}\n        expr: {}\n", quoted(alert.name), quoted(expression(alert, site)));
  text += std::format("        for: {}ms\n", std::llround(1e3 * alert.for_s));
  if (alert.clear_for_s > 0)
    text += std::format("        keep_firing_for: {}ms\n", std::llround(1e3 * alert.clear_for_s));
  if (alert.hysteresis > 0)
    text += std::format("        # Its hysteresis of {} is nothing that Prometheus has.\n", alert.hysteresis);
  text += std::format("        labels: {{severity: {}, channels: {}}}\n", quoted(alert.severity),
                      quoted(joined(alert.channels)));
  text += std::format("        annotations:\n          summary: {}\n          repeat_minutes: \"{}\"\n",
                      quoted(summary(alert)), alert.repeat_minutes);
  if (!alert.action.empty()) text += std::format("          action: {}\n", quoted(alert.action));
  return text;
}

}  // namespace

std::string prometheus_rules(const Alerts& alerts, const std::string& site) {
  std::string text =
      "# Made by 'rltune config alert-rules'. Who is told is Alertmanager's part: route by the label `channels`, and\n"
      "# repeat as the annotation `repeat_minutes` says.\n";
  std::string rules;
  for (const Alert& alert : alerts.alerts) {
    if (!alert.log)
      rules += rule(alert, site);
    else
      text += std::format("# Left out, because Prometheus has no log entries: {}\n", quoted(alert.name));
  }
  text += std::format("groups:\n  - name: {}\n    rules:{}\n", quoted(site.empty() ? "rltune" : "rltune " + site),
                      rules.empty() ? " []" : "");
  return text + rules;
}

}  // namespace rltune::config
