// Where this role listens and what to show it: telemetry.json of the run folder, for the others of the site. Internal.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "rltune/base/error.hpp"
#include "rltune/config/telemetry.hpp"

namespace rltune::collector {

// The site's, or a new one. Errors: denied: others may read the file; io, not_found.
Result<std::string> token_of(const std::filesystem::path& site_folder, const config::Collect& collect);

// Readable by its owner alone; gone when the role ends in order.
class Announcement {
 public:
  static Result<Announcement> make(const std::filesystem::path& run_folder, std::uint16_t port,
                                   const std::string& token);
  ~Announcement();
  Announcement(Announcement&& other) noexcept : file_(std::exchange(other.file_, {})) {}
  Announcement& operator=(Announcement&&) = delete;

 private:
  explicit Announcement(std::filesystem::path file) : file_(std::move(file)) {}
  std::filesystem::path file_;
};

}  // namespace rltune::collector
