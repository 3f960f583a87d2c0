#include "names.hpp"

#include <algorithm>
#include <cctype>
#include <format>

namespace rltune::backup {
namespace {

constexpr std::string_view kEnding = ".rltune-backup";
constexpr std::string_view kStamp = "00000000T000000Z";  // a digit for each 0

bool plain(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_'; }

}  // namespace

std::string safe_name(std::string_view site) {
  std::string safe;
  for (const char c : site) safe += plain(c) ? c : '_';
  return safe.empty() ? "site" : safe;
}

std::string name_of(std::string_view site, TimePoint created) {
  std::string stamp = format_rfc3339(std::chrono::floor<std::chrono::seconds>(created));
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  return std::format("{}-{}{}", safe_name(site), stamp, kEnding);
}

bool is_backup(std::string_view name, std::string_view site) {
  if (name.size() < 2 + kStamp.size() + kEnding.size() || !name.ends_with(kEnding)) return false;
  const std::string_view stamp = stamp_of(name);
  const auto fits = [](char c, char form) {
    return form == '0' ? std::isdigit(static_cast<unsigned char>(c)) != 0 : c == form;
  };
  const std::string_view start = name.substr(0, name.size() - kEnding.size() - kStamp.size());
  return std::ranges::equal(stamp, kStamp, fits) && start.ends_with('-') && std::ranges::all_of(start, plain) &&
         (site.empty() || start.substr(0, start.size() - 1) == safe_name(site));
}

std::string_view stamp_of(std::string_view name) {
  return name.substr(name.size() - kEnding.size() - kStamp.size(), kStamp.size());
}

}  // namespace rltune::backup
