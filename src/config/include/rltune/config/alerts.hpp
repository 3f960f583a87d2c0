// alerts.yaml: which figures call for a person, and how that person is reached.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::config {

struct Channel {
  std::string name;
  std::string kind = "log";  // log | webhook | email | pagerduty
  std::string url;           // webhook: https://...; email: smtps://host:port, or smtp:// with STARTTLS
  std::vector<std::string> to;
  std::string user;
  std::filesystem::path password_file;  // or password_env
  std::string password_env;
  // From v2.
  std::string from;                        // email; empty: the user, or the first of `to`
  std::filesystem::path signing_key_file;  // webhook: signs what is sent; or signing_key_env
  std::string signing_key_env;
  std::filesystem::path routing_key_file;  // pagerduty; or routing_key_env
  std::string routing_key_env;
  std::filesystem::path ca_file;  // PEM, for a server of one's own; empty: the host's
};

// Which log entries count.
struct LogMatch {
  std::string service;          // empty: of any
  std::string level = "ERROR";  // or worse
  std::string contains;         // in the message; empty: anything
};

struct Alert {
  std::string name;
  std::string metric;                         // a family of /metrics: rltune_guard_interventions_total
  std::map<std::string, std::string> labels;  // only series that carry all of them
  std::string when = "above";                 // above | below | absent
  double limit = 0.0;
  double for_s = 60.0;
  std::string severity = "warning";  // info | warning | error | critical
  std::vector<std::string> channels;
  double repeat_minutes = 240.0;
  // From v2.
  std::optional<LogMatch> log;  // instead of a metric: how many entries within window_s
  std::string of = "value";     // of the series: value | age | rate | increase | ratio
  std::string per;              // ratio: its increase by that of this metric, of the same labels but `labels`
  double window_s = 300.0;      // of rate, increase, ratio, and log
  double hysteresis = 0.0;      // it ends when so far on the other side of the limit
  double clear_for_s = 0.0;     // and has been for this long
  std::string action;           // what to do first, for the message
};

struct Alerts {
  std::string schema = "rltune/alerts/v2";
  std::vector<Channel> channels;
  std::vector<Alert> alerts;
};

// The same as a rule file of Prometheus, which names in comments what of it Prometheus cannot do. `site`: only series
// of this site; empty: of every one.
std::string prometheus_rules(const Alerts& alerts, const std::string& site);

// Strict, as load_site().
Result<Alerts> load_alerts(const std::filesystem::path& file);
Result<Alerts> parse_alerts(const std::string& yaml, const std::string& name_in_errors);

}  // namespace rltune::config
