// What a role tells about itself, as telemetry.yaml of the site's folder says: the level of its log, what it logs, sent
// to the site's telemetry role, and its traces (rltune/base/trace.hpp), sent to an OpenTelemetry collector or written
// to a file. telemetry.yaml is followed while the role runs; a level that was set by hand lasts until it changes.
//
// Threads: one of its own, at ordinary priority with signals blocked; nobody ever waits for it.
// Losses:  whoever takes the spans may be away: what is recorded meanwhile waits in a bounded queue, what finds no
//          room there is dropped. Both are counted: rltune_role_traces_spans_total, rltune_role_circuit_*{to="traces"};
//          rltune_role_log_entries_total, rltune_role_circuit_*{to="telemetry"}.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "rltune/base/time.hpp"
#include "rltune/metrics/registry.hpp"

namespace rltune::tracing {

struct Options {
  std::filesystem::path folder;      // of the site
  std::filesystem::path run_folder;  // where the telemetry role says where it listens; empty: what is logged stays here
  std::string site, role;            // "north", "agent.climate"
  Duration every = std::chrono::seconds(1);
  Duration timeout = std::chrono::seconds(5);  // of a sending
};

class SiteTelemetry {
 public:
  // `registry` outlives it.
  SiteTelemetry(const Options& options, metrics::Registry& registry);
  // Sends what waits, where it is taken; half a second at most, and what a sending under way takes to be given up.
  ~SiteTelemetry();
  SiteTelemetry(const SiteTelemetry&) = delete;
  SiteTelemetry& operator=(const SiteTelemetry&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rltune::tracing
