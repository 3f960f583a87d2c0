// Who is asked for its metrics: the roles of a site, as coredinator writes them down for Prometheus, and what
// telemetry.yaml names beside them.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/config/telemetry.hpp"

namespace rltune::polling {

struct Target {
  std::string url;                            // "http://127.0.0.1:43123/metrics"
  std::map<std::string, std::string> labels;  // of every sample of it: job, instance, site, role
  bool operator==(const Target&) const = default;
};

// targets.json, the format of Prometheus' file_sd_configs: [{"targets": ["127.0.0.1:43123"], "labels": {"role":
// "io"}}]. Labels are those and `job="rltune"`. Outside bytes: whatever they are. Errors: parse.
Result<std::vector<Target>> parse_targets(std::string_view json);
// The same of the site's run folder. Errors: also not_found: coredinator has not written it yet.
Result<std::vector<Target>> read_targets(const std::filesystem::path& run_folder);

// Those of telemetry.yaml: `job` and `instance` are the name that they have there, `site` is the site's.
std::vector<Target> targets_of(const config::Polling& polling, const std::string& site);

}  // namespace rltune::polling
