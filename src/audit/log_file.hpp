// The names of a role's files and what stands in them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/audit/entry.hpp"
#include "rltune/base/error.hpp"

namespace rltune::audit {

struct LogFile {
  std::string day;  // 2026-01-02
  int part = 1;
  std::filesystem::path path;
};

inline constexpr const char* kHeadsName = "heads.jsonl";

LogFile log_file(const std::filesystem::path& folder, const std::string& day, int part);
// In the order of writing. Errors: io. A folder that is not there has none.
Result<std::vector<LogFile>> list_log_files(const std::filesystem::path& folder);
// Names of the folders in it, sorted.
Result<std::vector<std::string>> list_roles(const std::filesystem::path& audit_folder);

// The lines of a text, without their line feeds. `rest` is what comes after the last line feed.
std::vector<std::string_view> split_lines(std::string_view text, std::string_view& rest);

}  // namespace rltune::audit
