// alerts.yaml: which figures call for a person, and how that person is reached.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::config {

struct Channel {
  std::string name;
  std::string kind = "log";  // log | webhook | email
  std::string url;           // webhook: https://...; email: smtps://host:port
  std::vector<std::string> to;
  std::string user;
  std::filesystem::path password_file;  // or password_env
  std::string password_env;
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
};

struct Alerts {
  std::string schema = "rltune/alerts/v1";
  std::vector<Channel> channels;
  std::vector<Alert> alerts;
};

// The same as a rule file of Prometheus. `site`: only series of this site; empty: of every one.
std::string prometheus_rules(const Alerts& alerts, const std::string& site);

// Strict, as load_site().
Result<Alerts> load_alerts(const std::filesystem::path& file);

}  // namespace rltune::config
