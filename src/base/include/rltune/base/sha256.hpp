// SHA-256 as lower-case hexadecimal: the content hashes of policies, plants and configurations.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"

namespace rltune {

std::string sha256(std::string_view bytes);
Result<std::string> sha256_file(const std::filesystem::path& path);

}  // namespace rltune
