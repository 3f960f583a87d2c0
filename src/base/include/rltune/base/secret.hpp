// Where keys come from, in this order: the environment (RLTUNE_AUDIT_KEY for the name "audit-key"), a systemd
// credential
// ($CREDENTIALS_DIRECTORY/rltune-audit-key), a file that only its owner may read.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"

namespace rltune {

// Without spaces around it; nothing where no source has it. An empty `file` is no source.
// Errors: denied (others may read the file: says what to do), io.
Result<std::optional<std::string>> find_secret(std::string_view name, const std::filesystem::path& file = {});

// Of a file alone, the same way.
Result<std::optional<std::string>> read_secret_file(const std::filesystem::path& file);

}  // namespace rltune
