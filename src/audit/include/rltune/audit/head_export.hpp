// Copies heads to a folder that may be on another host, as they are signed: who changes logs on this host cannot change
// what has left it.
//
// A folder that hangs holds up whoever calls: a process of its own, no role.
#pragma once

#include <filesystem>

#include "rltune/base/error.hpp"

namespace rltune::audit {

// New heads of every role. Errors: io; mismatch: what has left the host is not what stands here any more.
Result<> export_heads(const std::filesystem::path& audit_folder, const std::filesystem::path& target);

}  // namespace rltune::audit
