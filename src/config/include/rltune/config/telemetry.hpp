// telemetry.yaml: what the roles tell about themselves, and where it goes.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "rltune/base/error.hpp"

namespace rltune::config {

struct Traces {
  bool enabled = false;
  std::string url = "http://127.0.0.1:4318/v1/traces";  // OTLP over HTTP
  std::filesystem::path folder;                         // instead of the url: OTLP as JSON, a file a role
  double folder_max_mb = 32.0;                          // of one role
  double sample_ratio = 0.01;
};

// Forwarding needs a network, which a site may not have: what waits is kept in a bounded buffer.
struct Forward {
  bool enabled = false;
  std::string url;
  std::filesystem::path token_file;  // or token_env
  std::string token_env;
  double interval_s = 60.0;
  double buffer_max_mb = 256.0;
};

struct Telemetry {
  std::string schema = "rltune/telemetry/v1";
  std::string level = "INFO";
  std::map<std::string, std::string> levels;  // by kind of role, where it differs
  Traces traces;
  Forward forward;
};

// The level of a role: "agent.climate" has that of its kind, `agent`, where one is given.
std::string level_of(const Telemetry& telemetry, const std::string& role);

// Strict, as load_site().
Result<Telemetry> load_telemetry(const std::filesystem::path& file);

}  // namespace rltune::config
