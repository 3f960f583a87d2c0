// Calls to the telemetry role of a running site, for commands: where it is and what to show it stand in telemetry.json
// of the run folder.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "command.hpp"
#include "rltune/http/client.hpp"

namespace rltune::telemetry_app {

struct SiteOptions {
  std::filesystem::path file, run_folder;
  bool json = false;
};
// The site's file, --run-folder and --json.
void add_site_options(CLI::App& verb, SiteOptions& options);

class RoleClient {
 public:
  // Stops the command where no role has said where it listens.
  explicit RoleClient(const SiteOptions& options);

  // What it answers; stops the command with the role's own words where that is an error.
  nlohmann::ordered_json get(const std::string& path);
  nlohmann::ordered_json post(const std::string& path, const nlohmann::ordered_json& body);

 private:
  nlohmann::ordered_json send(http::Request request);
  std::string url_, authorization_;
  http::Client client_;
};

}  // namespace rltune::telemetry_app
