// The link a site's configuration asks for, so that only this module names protocols.
#pragma once

#include <memory>

#include "rltune/base/error.hpp"
#include "rltune/config/site.hpp"
#include "rltune/plant/opcua_options.hpp"
#include "rltune/plant/plant_link.hpp"

namespace rltune::plant {

// Not opened yet. Relative paths start at `folder`, the site file's. Errors: unsupported (protocol), not_found
// (password file or variable), denied (a password file that others may read).
Result<std::unique_ptr<PlantLink>> make_link(const config::Link& link, const std::filesystem::path& folder = {});

// The OPC UA part of it, for tools that browse.
Result<OpcuaOptions> opcua_options(const config::Link& link, const std::filesystem::path& folder = {});

}  // namespace rltune::plant
