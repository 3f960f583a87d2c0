// One folder of files as the buffer needs it, so that tests can stand a disk that tears, loses and fails in its place.
//
// What was written is durable when sync() of its file returned; that a file is there, when sync() of the folder did.
// After a failed sync of a file nobody knows what of it is on disk, and no later sync tells (fsync(2), Linux).
//
// Threads: a Storage belongs to any, a StoredFile to one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::telemetry {

class StoredFile {
 public:
  virtual ~StoredFile() = default;
  // All of it, or an error and any part. Errors: io, no_space.
  virtual Result<> write(std::uint64_t offset, std::string_view bytes) = 0;
  virtual Result<> sync() = 0;
  // As much as is there, from `offset` on.
  virtual Result<std::size_t> read(std::uint64_t offset, std::span<char> into) = 0;
  virtual Result<std::uint64_t> size() = 0;
};

class Storage {
 public:
  virtual ~Storage() = default;
  // Errors: io, no_space; a file of that name is an error of create(), none one of open() (not_found).
  virtual Result<std::unique_ptr<StoredFile>> create(const std::string& name) = 0;
  virtual Result<std::unique_ptr<StoredFile>> open(const std::string& name) = 0;
  virtual Result<> remove(const std::string& name) = 0;
  virtual Result<std::vector<std::string>> list() = 0;  // sorted
  virtual Result<> sync() = 0;
  virtual std::uint64_t free_bytes() = 0;
};

// Creates the folder where missing, and locks it for one process. Errors: io; denied: another process has it.
Result<std::unique_ptr<Storage>> open_folder(const std::filesystem::path& folder);
// Beside whoever has it: nothing in it can be changed. Errors: io, not_found.
Result<std::unique_ptr<Storage>> open_folder_to_read(const std::filesystem::path& folder);

}  // namespace rltune::telemetry
