// The log entries that a site keeps: asked of its telemetry role, or read from its files where none runs.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "rltune/base/error.hpp"
#include "rltune/http/client.hpp"
#include "rltune/telemetry/log_search.hpp"

namespace rltune::log_app {

struct Page {
  std::vector<nlohmann::ordered_json> entries;  // {"sequence": ..., "received": ..., "entry": {...}}
  std::uint64_t next = 0;
  bool is_complete = false;
};

class SiteLogs {
 public:
  // Errors: those of the site's file; not_found: it keeps no logs.
  static Result<SiteLogs> open(const std::filesystem::path& site_file, const std::filesystem::path& run_folder);

  // As GET /v1/logs takes them: service, level, text, ...
  using Parameters = std::map<std::string, std::string>;
  Result<Page> find(const Parameters& parameters);

 private:
  Result<Page> ask(const Parameters& parameters);
  Result<Page> read(const Parameters& parameters);

  std::filesystem::path announcement_, folder_;
  http::Client client_;
  std::unique_ptr<telemetry::RecordReader> records_;
  std::unique_ptr<telemetry::LogSearch> search_;
};

}  // namespace rltune::log_app
