// Places for copies of backups away from their host: a folder, or a bucket of any S3-compatible server. Copies are the
// encrypted files themselves, under their own names.
//
// Threads: one place belongs to one thread. Time: no answer for a minute, or no connection for ten seconds, is an
// error.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/config/retention.hpp"

namespace rltune::backup {

struct OffsiteOptions {
  std::string place;                  // a folder, or s3://BUCKET/PREFIX
  std::string endpoint;               // of the S3 server: https://HOST:PORT; empty: Amazon's
  std::string region = "us-east-1";   // as the server calls it
  std::filesystem::path credentials;  // file with ID:SECRET; otherwise RLTUNE_BACKUP_S3, or a systemd credential
};

struct Copy {
  std::string name;
  std::uint64_t bytes = 0;
};

class Offsite {
 public:
  virtual ~Offsite() = default;
  // Without secrets: "s3://bucket/prefix at https://host".
  virtual std::string name() const = 0;
  // The file under its own name, whole or not at all. Errors: disconnected, timeout (try again); denied, not_found,
  // no_space, io, unsupported (more than 5 GB: one request of S3 takes no more).
  virtual Result<> put(const std::filesystem::path& file) = 0;
  // Backups, oldest first by their names; what else lies there is left out.
  virtual Result<std::vector<Copy>> list() = 0;
  // Into a new file, which stays away on failure.
  virtual Result<> get(const std::string& name, const std::filesystem::path& file) = 0;
  virtual Result<> remove(const std::string& name) = 0;
};

// Errors: invalid_argument, saying what is wrong with the place; not_found (no credentials), denied, parse.
Result<std::unique_ptr<Offsite>> open_offsite(const OffsiteOptions& options);

inline bool is_s3(const std::string& place) { return place.starts_with("s3://"); }

// Copies what the place has not yet of the folder's backups of a site, the newest first, and keeps there what `rule`
// says (without one: all). Returns the names that were copied. Errors: those of the place; what was copied before
// stays.
Result<std::vector<std::string>> copy_missing(const std::filesystem::path& folder, const std::string& site,
                                              Offsite& place, const std::optional<config::BackupRetention>& rule);

}  // namespace rltune::backup
