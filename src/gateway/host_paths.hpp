// Takes the host's folders out of texts that were written for those who work on the host, such as log entries: who
// calls the API learns which file is meant, and not where on the host it lies.
//
// Threads: any.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>

namespace rltune::gateway {

class HostPaths {
 public:
  // A path is one of the host's where its first name stands in `root`.
  explicit HostPaths(const std::filesystem::path& site_folder, const std::filesystem::path& root = "/");

  // Paths below the site's folder become relative to it, the others ".../name".
  std::string hidden(std::string_view text) const;

 private:
  // The length of the path of the host that begins here; 0: none does.
  std::size_t length_at(std::string_view text, std::size_t at) const;
  std::string shortened(std::string_view path) const;

  std::string site_folder_;  // with a slash behind it
  std::set<std::string, std::less<>> first_names_;
};

}  // namespace rltune::gateway
