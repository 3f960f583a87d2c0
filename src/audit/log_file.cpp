#include "log_file.hpp"

#include <algorithm>
#include <charconv>
#include <format>
#include <optional>
#include <tuple>

namespace rltune::audit {
namespace {

constexpr std::string_view kPrefix = "audit-", kSuffix = ".jsonl";
constexpr std::size_t kDayDigits = 10;

std::optional<LogFile> parse(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix) ||
      name.size() < kPrefix.size() + kDayDigits + kSuffix.size())
    return std::nullopt;
  LogFile file{name.substr(kPrefix.size(), kDayDigits), 1, path};
  if (!parse_rfc3339(file.day)) return std::nullopt;
  std::string_view rest = std::string_view(name).substr(kPrefix.size() + kDayDigits);
  rest.remove_suffix(kSuffix.size());
  if (rest.empty()) return file;
  const auto [end, code] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), file.part);
  if (rest[0] != '.' || code != std::errc{} || end != rest.data() + rest.size() || file.part < 2) return std::nullopt;
  return file;
}

}  // namespace

LogFile log_file(const std::filesystem::path& folder, const std::string& day, int part) {
  return {day, part,
          folder / (part == 1 ? std::format("{}{}{}", kPrefix, day, kSuffix)
                              : std::format("{}{}.{}{}", kPrefix, day, part, kSuffix))};
}

Result<std::vector<LogFile>> list_log_files(const std::filesystem::path& folder) {
  std::error_code code;
  std::vector<LogFile> files;
  if (!std::filesystem::exists(folder, code)) return files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, code))
    if (auto file = parse(entry.path())) files.push_back(std::move(*file));
  if (code) return fail(Errc::io, std::format("cannot list {}: {}", folder.string(), code.message()));
  std::ranges::sort(files, {}, [](const LogFile& file) { return std::tie(file.day, file.part); });
  return files;
}

Result<std::vector<std::string>> list_roles(const std::filesystem::path& audit_folder) {
  std::error_code code;
  std::vector<std::string> roles;
  for (const auto& entry : std::filesystem::directory_iterator(audit_folder, code))
    if (entry.is_directory()) roles.push_back(entry.path().filename().string());
  if (code)
    return fail(code == std::errc::no_such_file_or_directory ? Errc::not_found : Errc::io,
                std::format("{}: no audit log can be read here: {}", audit_folder.string(), code.message()));
  std::ranges::sort(roles);
  return roles;
}

std::vector<std::string_view> split_lines(std::string_view text, std::string_view& rest) {
  std::vector<std::string_view> lines;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  rest = text;
  return lines;
}

}  // namespace rltune::audit
