// Whole files, read and durably replaced.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"

namespace rltune {

Result<std::string> read_file(const std::filesystem::path& path);

// Writes beside the path, fsyncs, renames over it and fsyncs the folder: after a crash the file is
// the old one or the new one. Creates missing folders. Errors: io, no_space; the old file stays.
Result<> write_file(const std::filesystem::path& path, std::string_view bytes);

// As write_file, readable by the owner alone: keys and passwords.
Result<> write_secret_file(const std::filesystem::path& path, std::string_view bytes);

}  // namespace rltune
