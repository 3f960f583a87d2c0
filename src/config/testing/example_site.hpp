// A small site that passes every check: what tests change one line of.
#pragma once

#include <string>

namespace rltune::config {

inline std::string example_site() {
  return R"(schema: rltune/site/v1
name: pilot
link:
  url: opc.tcp://127.0.0.1:4840
  user: rltune
  password_env: PILOT_PASSWORD
tags:
  - name: temperature
    node: nsu=urn:pilot;s=temperature
    unit: degC
    operating: {low: -10, high: 60}
    expected: {low: 10, high: 30}
    imputation: hold
  - name: outdoor
    node: nsu=urn:pilot;s=outdoor
    role: exogenous
  - name: outdoor_forecast
    node: nsu=urn:pilot;s=outdoor_forecast
    role: forecast
    elements: 12
    forecasts: outdoor
  - name: heating
    node: nsu=urn:pilot;s=heating
    role: setpoint
    unit: W/m2
    operating: {low: 0, high: 200}
  - name: heating_mode
    node: nsu=urn:pilot;s=heating_mode
    role: mode
  - name: guard_alive
    node: nsu=urn:pilot;s=guard_alive
    role: heartbeat
  - name: agent_alive
    node: nsu=urn:pilot;s=agent_alive
    role: heartbeat
agents:
  - id: climate
    policy: policies/pilot
    plant: lettuce
    period_s: 60
    outputs: [heating]
    fallback: rule
    learning:
      enabled: true
      reward: temperature - previous(temperature)
      costs: {heat: 0.1 * heating}
guard:
  mode: auto
  outputs:
    - tag: heating
      limits: {low: 0, high: 150}
      rate_per_s: 1
      step_max: 15
      safe_value: 0
      mode_tag: heating_mode
      mode_remote: [2]
  interlocks:
    - name: too_hot
      require: temperature < 38
  guard_alive: guard_alive
  agent_alive: agent_alive
)";
}

// The example with its first `from` replaced by `to`.
inline std::string example_site_with(const std::string& from, const std::string& to) {
  std::string text = example_site();
  const auto at = text.find(from);
  return at == std::string::npos ? "the example has no '" + from + "'" : text.replace(at, from.size(), to);
}

}  // namespace rltune::config
