// How long the write-ahead logs of a folder's databases are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <system_error>

namespace rltune::historian {

inline std::uint64_t all_wal_bytes(const std::filesystem::path& folder) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.path().string().ends_with("-wal")) continue;
    std::error_code gone;  // the last one to close a database removes its log
    const std::uint64_t size = entry.file_size(gone);
    if (!gone) bytes += size;
  }
  return bytes;
}

}  // namespace rltune::historian
