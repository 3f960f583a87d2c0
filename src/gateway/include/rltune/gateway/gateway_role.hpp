// The gateway: the one public port of a site. It knows users, sessions and keys, and of the site nothing: every other
// call goes to coredinator over the bus, in the name of who makes it.
#pragma once

#include <filesystem>

#include "rltune/base/error.hpp"

namespace rltune::gateway {

struct Options {
  std::filesystem::path site;        // its file
  std::filesystem::path run_folder;  // of the roles' sockets
};

// Until it is interrupted. Errors: those of the files and the port.
Result<> run_gateway(const Options& options);

}  // namespace rltune::gateway
