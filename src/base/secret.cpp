#include "rltune/base/secret.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <format>

#include "rltune/base/file.hpp"

namespace rltune {
namespace {

std::string trimmed(std::string text) {
  constexpr const char* kSpaces = " \t\r\n";
  text.erase(text.find_last_not_of(kSpaces) + 1);
  text.erase(0, text.find_first_not_of(kSpaces));
  return text;
}

std::string variable_of(std::string_view name) {
  std::string variable = "RLTUNE_";
  for (const char c : name) variable += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return variable;
}

}  // namespace

Result<std::optional<std::string>> read_secret_file(const std::filesystem::path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return std::nullopt;
  if ((status.st_mode & 077U) != 0)
    return fail(Errc::denied,
                std::format("{0} can be read by others than its owner; run: chmod 600 {0}", file.string()));
  auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  return trimmed(std::move(*text));
}

Result<std::optional<std::string>> find_secret(std::string_view name, const std::filesystem::path& file) {
  if (const char* value = std::getenv(variable_of(name).c_str()); value != nullptr && *value != '\0')
    return trimmed(value);
  if (const char* folder = std::getenv("CREDENTIALS_DIRECTORY"); folder != nullptr) {
    // systemd guards the folder; the files' own modes are its affair.
    const auto credential = std::filesystem::path(folder) / std::format("rltune-{}", name);
    if (auto text = read_file(credential)) return trimmed(std::move(*text));
  }
  if (file.empty()) return std::nullopt;
  return read_secret_file(file);
}

}  // namespace rltune
