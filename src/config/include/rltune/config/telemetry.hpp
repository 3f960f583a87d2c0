// telemetry.yaml: what the roles tell about themselves, and where it goes.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::config {

struct Traces {
  bool enabled = false;
  std::string url = "http://127.0.0.1:4318/v1/traces";  // OTLP over HTTP
  std::filesystem::path folder;                         // instead of the url: OTLP as JSON, a file a role
  double folder_max_mb = 32.0;                          // of one role
  double sample_ratio = 0.01;
};

// As telemetry/v1 says where to; a gateway among the sinks since.
struct Forward {
  bool enabled = false;
  std::string url;
  std::filesystem::path token_file;  // or token_env
  std::string token_env;
  double interval_s = 60.0;
  double buffer_max_mb = 256.0;
};

// The buffer on this host.
struct Collect {
  bool enabled = true;
  std::size_t port = 0;              // of POST /v1/logs on 127.0.0.1; 0: one that is free
  std::filesystem::path token_file;  // what senders show; empty: one that is made, in the run folder
  double retention_days = 30.0;
  double retention_gb = 100.0;  // logs and metrics together
  double free_min_gb = 1.0;     // with less free on the disk nothing more is taken; an alarm comes before
};

struct ScrapeTarget {
  std::string name;
  std::string url;
};

struct Polling {
  bool enabled = true;
  double every_s = 15.0;
  bool plant = true;                  // the historian's samples, as averages of a minute
  std::vector<ScrapeTarget> targets;  // besides the roles
};

struct Sink {
  std::string name;
  std::string kind = "gateway";         // gateway | opensearch | remote_write | influx | otlp | postgres
  std::string url;                      // postgres: postgresql://host:port/database
  std::vector<std::string> streams;     // logs, metrics; empty: what its kind takes
  std::string authentication = "none";  // none | api_key | bearer | basic | sigv4
  std::string user;                     // basic: the user; sigv4: the access key's id
  std::filesystem::path secret_file;    // or secret_env: the key, token, password or secret access key
  std::string secret_env;
  std::string api_key_header = "X-Api-Key";
  std::string region, service;        // sigv4
  std::string index = "rltune-logs";  // opensearch
  std::filesystem::path ca_file, certificate_file, key_file;
  bool compress = true;
  double batch_max_kb = 512.0;
  double interval_s = 5.0;  // the longest that a record waits for others
};

struct Telemetry {
  std::string schema = "rltune/telemetry/v2";
  std::string level = "INFO";
  std::map<std::string, std::string> levels;  // by kind of role, where it differs
  Traces traces;
  Forward forward;
  Collect collect;
  Polling metrics;
  std::vector<Sink> sinks;
};

// The level of a role: "agent.climate" has that of its kind, `agent`, where one is given.
std::string level_of(const Telemetry& telemetry, const std::string& role);

// Every sink, what telemetry/v1 calls `forward` among them.
std::vector<Sink> sinks_of(const Telemetry& telemetry);

// Strict, as load_site().
Result<Telemetry> load_telemetry(const std::filesystem::path& file);

}  // namespace rltune::config
