// The io role: a site's link, guard, stores and bus, wired and run until an orderly stop.
#pragma once

#include <filesystem>
#include <string>

#include "rltune/base/error.hpp"

namespace rltune::io {

struct IoOptions {
  std::filesystem::path site;  // site.yaml
  std::string run_folder;      // where the roles' sockets are
};

// Returns after SIGINT or SIGTERM, or with what kept it from starting.
Result<> run_io(const IoOptions& options);

}  // namespace rltune::io
