// Names of backups: "<site>-20260102T030000Z.rltune-backup".
#pragma once

#include <string>
#include <string_view>

#include "rltune/backup/backup.hpp"  // is_backup()
#include "rltune/base/time.hpp"

namespace rltune::backup {

// A site's name as it stands in the names of its backups.
std::string safe_name(std::string_view site);
std::string name_of(std::string_view site, TimePoint created);
// What backups are ordered by, whichever site's they are.
std::string_view stamp_of(std::string_view name);

}  // namespace rltune::backup
