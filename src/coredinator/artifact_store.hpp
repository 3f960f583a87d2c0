// The artifacts of deployed versions, by content: <folder>/<sha256>/ holds the files of one. What is in it never
// changes; a folder is there whole or not at all. Whether it is a policy that fits is for the agent that loads it to
// say.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "rltune/base/error.hpp"

namespace rltune::coredinator {

class ArtifactStore {
 public:
  explicit ArtifactStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Copies a folder's files, durably. Returns the SHA-256 over their names and contents. Errors: not_found (no
  // manifest.yaml in it), invalid_argument (a folder or a link in it, too many or too large files), io, no_space.
  Result<std::string> take(const std::filesystem::path& from) const;
  std::filesystem::path path_of(const std::string& sha256) const { return folder_ / sha256; }
  // Errors: not_found; corrupt: its contents are not what its name says.
  Result<> verify(const std::string& sha256) const;
  // Removes what no version names and what a crash left half made.
  void sweep(const std::set<std::string>& named) const noexcept;

 private:
  std::filesystem::path folder_;
};

}  // namespace rltune::coredinator
