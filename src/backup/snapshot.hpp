// Databases at one instant: a read transaction on each, then copies of what those see.
#pragma once

#include <filesystem>

#include "rltune/base/error.hpp"
#include "rltune/sqlite/sqlite.hpp"

namespace rltune::backup {

class Snapshot {
 public:
  // From now on, until this goes, it is the database's content of this instant, whoever writes.
  // Errors: not_found (retention has removed it), timeout, corrupt, io.
  static Result<Snapshot> open(const std::filesystem::path& database);

  // As one file without a log beside it. Errors: no_space, io, corrupt.
  Result<> copy_to(const std::filesystem::path& target) const;

 private:
  Snapshot(std::filesystem::path path, sqlite::Connection database)
      : path_(std::move(path)), database_(std::move(database)) {}
  std::filesystem::path path_;
  sqlite::Connection database_;
};

}  // namespace rltune::backup
