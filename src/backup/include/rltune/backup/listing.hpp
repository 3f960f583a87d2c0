// The backups in a folder, with what can be told of them without reading them whole.
#pragma once

#include "rltune/backup/backup.hpp"

namespace rltune::backup {

struct Listed {
  std::filesystem::path file;
  std::uint64_t bytes = 0;
  Result<Manifest> manifest;  // errors: those of read_manifest()
};

// Oldest first, the newest `most` of them. Errors: those of list().
Result<std::vector<Listed>> read_listing(const std::filesystem::path& folder, const Key& key,
                                         std::size_t most = SIZE_MAX);

}  // namespace rltune::backup
