// Whether the files of a site agree, where it may run on meanwhile.
#pragma once

#include "rltune/backup/backup.hpp"

namespace rltune::backup {

Agreement examine_live(const std::filesystem::path& folder, const Manifest& manifest);

}  // namespace rltune::backup
