// The site that a configuration belongs to, while it runs: coredinator makes the version and brings it to the roles.
#pragma once

#include <filesystem>
#include <optional>

#include "config.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/config.pb.h"

namespace rltune::config_command {

class RunningSite {
 public:
  // Nothing where no coredinator answers: the site does not run.
  static std::optional<RunningSite> find(const std::filesystem::path& run_folder);

  v1::ConfigAnswer state();
  // Asks for the change and waits for its end. Throws Exit where it is refused, or cannot be followed to its end.
  v1::ConfigAnswer take_over(v1::ApplyConfigRequest request, double within_s);

 private:
  RunningSite() = default;
  std::optional<bus::Client> client_;
};

// "Restarted: agent.climate. ..." on stdout, or why it went back on stderr.
void say(const v1::ConfigAnswer& answer);
ordered_json to_json(const v1::ConfigAnswer& answer);

}  // namespace rltune::config_command
