// A folder of its own for one test, removed with it.
#pragma once

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <format>

namespace rltune::historian {

class ScratchFolder {
 public:
  ScratchFolder() { std::filesystem::create_directories(path_); }
  ~ScratchFolder() {
    std::error_code code;
    std::filesystem::remove_all(path_, code);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  static inline std::atomic<int> count_ = 0;
  std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / std::format("rltune_historian_{}_{}", ::getpid(), ++count_);
};

}  // namespace rltune::historian
