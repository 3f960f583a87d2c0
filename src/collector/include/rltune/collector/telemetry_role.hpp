// The telemetry role: takes log entries over HTTP, asks every role for its figures, keeps both on disk, and sends them
// where telemetry.yaml says.
#pragma once

#include <filesystem>

#include "rltune/base/error.hpp"

namespace rltune::collector {

struct Options {
  std::filesystem::path site, run_folder;
};

// Until the process is interrupted. Errors: those of the site's files, of the disk, of the port.
Result<> run_telemetry(const Options& options);

}  // namespace rltune::collector
