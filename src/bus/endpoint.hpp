// Where a socket of the bus is: "ipc:///run/rltune/io.sock". Internal.
#pragma once

#include <string>

#include "rltune/base/error.hpp"

namespace rltune::bus {

// The Unix socket's path. Errors: invalid_argument (another scheme, longer than a Unix socket's address).
Result<std::string> path_of(const std::string& endpoint);
// The same, and its folder is there, made for its owner alone. Errors: also io.
Result<std::string> prepared_path_of(const std::string& endpoint);

}  // namespace rltune::bus
