// Where copies of a site's files lie while a backup is made of them or looked at: as plain as the data beside them.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "rltune/base/error.hpp"

namespace rltune::backup {

inline constexpr const char* kStaging = "backup-staging";  // below the site's data

// Empty when it is made, whatever a run that was killed left, and gone with this.
class Staging {
 public:
  static Result<Staging> make(const std::filesystem::path& data);
  ~Staging();
  Staging(Staging&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}
  Staging& operator=(Staging&&) = delete;
  const std::filesystem::path& folder() const { return folder_; }

 private:
  explicit Staging(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

// The beginnings of a site's backups that runs which were killed left in a folder. One that somebody works on is
// younger.
void remove_unfinished(const std::filesystem::path& target, const std::string& site);

}  // namespace rltune::backup
