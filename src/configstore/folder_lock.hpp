// One writer of a folder at a time, across processes. The kernel lets go of the lock when its holder dies.
#pragma once

#include <chrono>
#include <filesystem>

#include "rltune/base/error.hpp"

namespace rltune::configstore {

class FolderLock {
 public:
  // Errors: timeout (another writer has it), io.
  static Result<FolderLock> take(const std::filesystem::path& folder, std::chrono::milliseconds patience);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;

 private:
  explicit FolderLock(int file) noexcept : file_(file) {}
  int file_;
};

}  // namespace rltune::configstore
