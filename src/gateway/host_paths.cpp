#include "host_paths.hpp"

#include <algorithm>
#include <cctype>

namespace rltune::gateway {
namespace {

constexpr std::string_view kEnds = " \t\r\n\"'`,;|()[]{}<>";

bool ends_a_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.'; }

}  // namespace

HostPaths::HostPaths(const std::filesystem::path& site_folder, const std::filesystem::path& root)
    : site_folder_((site_folder.lexically_normal() / "").string()) {
  std::error_code failed;
  for (std::filesystem::directory_iterator each(root, failed), end; !failed && each != end; each.increment(failed))
    first_names_.insert(each->path().filename().string());
  if (site_folder.has_relative_path()) first_names_.insert(site_folder.relative_path().begin()->string());
}

std::string HostPaths::hidden(std::string_view text) const {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = length_at(text, at);
    if (length > 0)
      out += shortened(text.substr(at, length));
    else
      out += text[at];
    at += std::max<std::size_t>(length, 1);
  }
  return out;
}

std::size_t HostPaths::length_at(std::string_view text, std::size_t at) const {
  if (text[at] != '/' || (at > 0 && ends_a_word(text[at - 1]))) return 0;
  std::size_t end = std::min(text.find_first_of(kEnds, at), text.size());
  while (end > at && (text[end - 1] == '.' || text[end - 1] == ':')) --end;
  const std::string_view path = text.substr(at, end - at);
  const std::size_t slash = path.find('/', 1);
  if (slash == std::string_view::npos || !first_names_.contains(path.substr(1, slash - 1))) return 0;
  return path.size();
}

std::string HostPaths::shortened(std::string_view path) const {
  if (path.starts_with(site_folder_)) {
    std::string_view within = path.substr(site_folder_.size());
    while (within.starts_with('/')) within.remove_prefix(1);
    std::size_t at = 0;
    while (at < within.size() && length_at(within, at) == 0) ++at;
    if (!within.empty() && at == within.size()) return std::string(within);
  }
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return "..." + std::string(path.substr(path.rfind('/')));
}

}  // namespace rltune::gateway
