#include "rltune/alerts/default_rules.hpp"

#include "rltune/base/check.hpp"

namespace rltune::alerts {
namespace {

// deploy/alerts.yaml to the byte; a test compares them.
constexpr std::string_view kRules =
    R"yaml(# What calls for a person. A site without an alerts.yaml watches these and tells its log; copy the file into the site's
# folder, name channels that reach somebody, and change limits to the plant's. docs/alerts.md says how.
schema: rltune/alerts/v2
channels:
  - name: log

alerts:
  # The plant and who controls it.
  - name: plant_lost
    metric: rltune_data_health_plant_connected
    when: below
    limit: 1
    for_s: 30
    severity: critical
    channels: [log]
    action: "the plant does not answer, and nothing is written; rltune site status says why"
  - name: agent_silent
    metric: rltune_agent_health_lost
    when: above
    limit: 0
    for_s: 60
    severity: critical
    channels: [log]
    action: "its outputs are held, or its fallback runs; the agent's log says why"
  - name: role_down
    metric: up
    labels: {job: rltune}
    when: below
    limit: 1
    for_s: 30
    severity: critical
    channels: [log]
    action: "the role does not answer; rltune site status says why"
  - name: gateway_offline # of the site as a whole, for who watches it from elsewhere
    metric: up
    labels: {job: rltune, role: coredinator}
    when: absent
    for_s: 300
    severity: critical
    channels: [log]
    action: "nothing is heard of the site; is its host on, and its network?"
  - name: role_restarts
    metric: rltune_agent_health_role_restarts_total
    of: increase
    window_s: 900
    when: above
    limit: 3
    for_s: 0
    channels: [log]
    action: "the role is started again and again; its log says why"

  # Measurements.
  - name: sensor_data_gap
    metric: rltune_data_health_tags
    labels: {condition: stale}
    when: above
    limit: 0
    for_s: 600
    channels: [log]
    action: "a sensor has not reported for ten minutes; rltune site status names the tag"
  - name: sensor_data_missing
    metric: rltune_data_health_tags
    labels: {condition: missing}
    when: above
    limit: 0
    for_s: 600
    channels: [log]
    action: "a sensor has never reported, or its node is gone; rltune site status names the tag"
  - name: samples_dropped
    metric: rltune_process_data_samples_dropped_total
    of: increase
    when: above
    limit: 0
    for_s: 0
    severity: critical
    channels: [log]
    action: "the historian loses samples; is its disk full?"

  # How fast and how well it decides.
  - name: decision_to_write_slow # the mean of five minutes, from a sample to its effect at the plant
    metric: rltune_agent_performance_sample_to_write_seconds_sum
    of: ratio
    per: rltune_agent_performance_sample_to_write_seconds_count
    when: above
    limit: 2
    for_s: 60
    severity: error
    channels: [log]
    action: "compare proposal_seconds, verdict_seconds and write_seconds: which of them takes the time?"
  - name: response_time
    metric: rltune_agent_performance_decision_seconds_sum
    of: ratio
    per: rltune_agent_performance_decision_seconds_count
    when: above
    limit: 1
    for_s: 60
    channels: [log]
    action: "the policy takes more than a second to decide; is the host busy?"
  - name: success_rate
    metric: rltune_agent_performance_outcomes_total
    labels: {outcome: ok}
    of: ratio
    per: rltune_agent_performance_decision_seconds_count
    when: below
    limit: 0.9
    for_s: 300
    channels: [log]
    action: "decisions are held or fail; rltune site status shows which tags are unusable"
  - name: queue_size
    metric: rltune_process_data_decisions_waiting
    when: above
    limit: 100
    hysteresis: 50
    for_s: 60
    channels: [log]
    action: "decisions wait for the disk; is it slow, or full?"
  - name: model_performance # the learner's weights went wrong and were put back
    metric: rltune_agent_health_learner_divergences_total
    of: increase
    window_s: 3600
    when: above
    limit: 0
    for_s: 0
    severity: info
    channels: [log]
    action: "the agent acts with the weights it had; look at its learning curves"
  - name: proposals_refused
    metric: rltune_agent_performance_proposals_refused_total
    of: increase
    window_s: 3600
    when: above
    limit: 10
    for_s: 0
    severity: info
    channels: [log]
    action: "io does not take what the policy proposes; the agent's log says why"

  # The host and its disks.
  - name: cpu
    metric: process_cpu_seconds_total
    labels: {role: io}
    of: rate
    when: above
    limit: 0.9
    for_s: 300
    clear_for_s: 60
    channels: [log]
    action: "the control loop has a processor nearly to itself; what else has changed?"
  - name: memory
    metric: process_resident_memory_bytes
    when: above
    limit: 4e9
    hysteresis: 4e8
    for_s: 600
    channels: [log]
    action: "the role holds more memory than it should; keep its log and start it again"
  - name: historian_disk
    metric: rltune_process_data_disk_free_bytes
    when: below
    limit: 2e9
    hysteresis: 2e8
    severity: error
    channels: [log]
    action: "rltune site storage shows what takes the room"
  - name: telemetry_disk
    metric: rltune_role_telemetry_low_disk
    when: above
    limit: 0
    for_s: 60
    severity: error
    channels: [log]
    action: "the buffer of logs and metrics is about to take nothing more; make room on its disk"
  - name: telemetry_lost
    metric: rltune_role_telemetry_lost_total
    of: increase
    window_s: 3600
    when: above
    limit: 0
    for_s: 0
    severity: error
    channels: [log]
    action: "the disk has lost records that were kept; is it failing?"
  - name: telemetry_unsent
    metric: rltune_role_telemetry_unsent_total
    of: increase
    window_s: 3600
    when: above
    limit: 0
    for_s: 0
    severity: error
    channels: [log]
    action: "records went before they were sent: a sink has been away for too long, or telemetry.yaml keeps too little"
  - name: files_damaged
    metric: rltune_data_health_damaged_files
    when: above
    limit: 0
    for_s: 0
    channels: [log]
    action: "files were put aside and the site goes on; docs/operations.md, After damage"
  - name: certificate_ends
    metric: rltune_role_certificate_days_left
    when: below
    limit: 30
    for_s: 0
    severity: warning
    channels: [log]
    action: "rltune site certificates says which, and how it is renewed"
  - name: certificate_ends_in_a_week
    metric: rltune_role_certificate_days_left
    when: below
    limit: 7
    for_s: 0
    severity: error
    channels: [log]
    action: "rltune site certificates says which, and how it is renewed"
  - name: certificate_ends_tomorrow
    metric: rltune_role_certificate_days_left
    when: below
    limit: 1
    for_s: 0
    severity: critical
    channels: [log]
    action: "what uses it stops working; rltune site certificates says which it is"
  - name: certificate_waits
    metric: rltune_role_certificate_waiting
    when: above
    limit: 0
    for_s: 0
    severity: warning
    channels: [log]
    action: "the plant's server has to trust pki/own/next.der; the link goes over to it by itself, docs/operations.md"
  - name: clock_stepped
    metric: rltune_role_clock_steps_total
    of: increase
    window_s: 900
    when: above
    limit: 0
    for_s: 0
    channels: [log]
    action: "the wall clock was set; times on record around it are off by as much"
  - name: clock_unsynchronised
    metric: rltune_role_clock_synchronised
    when: below
    limit: 1
    for_s: 3600
    channels: [log]
    action: "the clock does not follow NTP"

  # What the roles say.
  - name: critical_logged
    log: {level: CRITICAL}
    window_s: 600
    when: above
    limit: 0
    for_s: 0
    channels: [log]
    action: "its log says what"
)yaml";

}  // namespace

std::string_view default_rules_yaml() noexcept { return kRules; }

config::Alerts default_rules(bool roles_are_asked) {
  auto rules = config::parse_alerts(std::string(kRules), "the rules built in");
  RLTUNE_CHECK(rules.has_value());
  if (!roles_are_asked) std::erase_if(rules->alerts, [](const config::Alert& rule) { return rule.when == "absent"; });
  return std::move(*rules);
}

}  // namespace rltune::alerts
