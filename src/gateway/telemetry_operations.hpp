// What the telemetry role knows: alerts, logs, and how far they are sent. It is asked over HTTP on this host, at the
// place and with the token that it leaves in the run folder.
#pragma once

#include <filesystem>

#include "decision_operations.hpp"
#include "host_paths.hpp"

namespace rltune::gateway {

// The workers, who wait for the role's answers, outlive the handlers.
struct TelemetryAsking {
  std::filesystem::path announcement;
  HostPaths paths;  // entries and alerts may name files
  Workers& workers;
};

// Of the operations listAlerts, acknowledgeAlert, searchLogs and getTelemetryStatus. `tell` hears of alerts that were
// acknowledged.
Handlers telemetry_handlers(const TelemetryAsking& asking_for, const TellRead& tell);

}  // namespace rltune::gateway
