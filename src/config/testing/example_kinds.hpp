// A good file of each kind, and a site with budgets and groups: what tests change one line of.
#pragma once

#include <string>

#include "example_site.hpp"
#include "rltune/config/document.hpp"

namespace rltune::config {

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  return at == std::string::npos ? "the example has no '" + from + "'" : text.replace(at, from.size(), to);
}

inline std::string example_users() {
  return R"(schema: rltune/users/v1
users:
  - name: ada
    full_name: Ada Lovelace
    role: administrator
    password_hash_file: secrets/ada.hash
  - name: grace
    role: operator
    password_hash_file: secrets/grace.hash
sign_in:
  session_hours: 8
  attempts_max: 5
oauth:
  issuer: https://login.example.com
  client_id: rltune-north
  client_secret_env: NORTH_CLIENT_SECRET
)";
}

inline std::string example_retention() {
  return R"(schema: rltune/retention/v2
decisions_days: 1095
audit_days: 3650
logs_days: 30
checkpoints: 10
backups:
  daily: 7
  weekly: 5
)";
}

inline std::string example_alerts() {
  return R"(schema: rltune/alerts/v2
channels:
  - name: oncall
    kind: email
    url: smtps://mail.example.com:465
    to: [oncall@example.com]
    user: rltune
    password_file: secrets/mail
  - name: journal
alerts:
  - name: agent_lost
    metric: rltune_agent_alive
    labels: {agent: climate}
    when: below
    limit: 1
    for_s: 30
    severity: error
    channels: [oncall, journal]
)";
}

// With what came with version 2.
inline std::string example_newer_alerts() {
  return replaced(example_alerts(), "alerts:\n  -", R"(  - name: duty
    kind: pagerduty
    routing_key_file: secrets/pagerduty
  - name: chat
    kind: webhook
    url: https://chat.example.com/hook
    signing_key_env: NORTH_CHAT_KEY
alerts:
  - name: errors_logged
    log: {service: io, contains: valve}
    window_s: 600
    when: above
    limit: 5
    hysteresis: 2
    clear_for_s: 300
    channels: [journal]
  - name: few_good_decisions
    metric: rltune_agent_performance_outcomes_total
    labels: {outcome: ok}
    of: ratio
    per: rltune_agent_performance_decision_seconds_count
    when: below
    limit: 0.9
    channels: [journal]
    action: look at the health of its tags
  -)");
}

inline std::string example_telemetry() {
  return R"(schema: rltune/telemetry/v2
level: INFO
levels: {io: DEBUG}
traces:
  enabled: true
  sample_ratio: 0.1
forward:
  enabled: true
  url: https://telemetry.example.com
  token_env: NORTH_TELEMETRY_TOKEN
collect:
  port: 8325
metrics:
  targets:
    - name: host
      url: http://127.0.0.1:9100/metrics
sinks:
  - name: search
    kind: opensearch
    url: https://search.example.com
    authentication: sigv4
    user: AKEXAMPLE
    secret_env: NORTH_SEARCH_KEY
    region: eu-central-1
    service: es
  - name: tsdb
    kind: remote_write
    url: https://tsdb.example.com/api/v1/write
    streams: [metrics]
    certificate_file: north.pem
    key_file: secrets/north.key
)";
}

// Two agents, two heaters on one boiler.
inline std::string example_shared_site() {
  std::string text = replaced(example_site(), "rltune/site/v1", "rltune/site/v2");
  text = replaced(text, "  - name: heating_mode\n", R"(  - name: rail
    node: nsu=urn:pilot;s=rail
    role: setpoint
    unit: W/m2
  - name: heating_mode
)");
  text = replaced(text, "guard:\n", R"(  - id: rails
    policy: policies/rails
    outputs: [rail]
budgets:
  - name: boiler
    unit: W/m2
    limit: 180
    outputs: [heating, rail]
    priorities: {heating: 0.75, rail: 0.25}
groups:
  - name: climate
    agents: [climate, rails]
guard:
)");
  return replaced(text, "  interlocks:\n", R"(    - tag: rail
      limits: {low: 0, high: 80}
      safe_value: 0
  interlocks:
)");
}

inline std::string example_of(Kind kind) {
  switch (kind) {
    case Kind::users:
      return example_users();
    case Kind::retention:
      return example_retention();
    case Kind::alerts:
      return example_alerts();
    case Kind::telemetry:
      return example_telemetry();
    case Kind::site:
      break;
  }
  return example_shared_site();
}

}  // namespace rltune::config
