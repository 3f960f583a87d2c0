// Databases at one instant: a read transaction on each, then copies of what those see.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "rltune/base/error.hpp"

struct sqlite3;

namespace rltune::backup {

class Snapshot {
 public:
  // From now on, until this goes, it is the database's content of this instant, whoever writes.
  // Errors: not_found (retention has removed it), timeout, corrupt, io.
  static Result<Snapshot> open(const std::filesystem::path& database);
  ~Snapshot();
  Snapshot(Snapshot&& other) noexcept;
  Snapshot& operator=(Snapshot&&) = delete;

  // As one file without a log beside it. Errors: no_space, io, corrupt.
  Result<> copy_to(const std::filesystem::path& target) const;

 private:
  Snapshot(std::filesystem::path path, sqlite3* handle) : path_(std::move(path)), handle_(handle) {}
  std::filesystem::path path_;
  sqlite3* handle_;
};

}  // namespace rltune::backup
