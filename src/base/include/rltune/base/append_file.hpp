// A file that is only ever added to: what add() acknowledged is on disk, what it refused is not in the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "rltune/base/error.hpp"

namespace rltune {

class AppendFile {
 public:
  // Creates it where missing. Errors: io, no_space, denied.
  static Result<AppendFile> open(const std::filesystem::path& path);
  ~AppendFile();
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&& other) noexcept;

  // Written whole and synced, or as before. An error of the sync leaves it unknown: open the file anew.
  Result<> add(std::string_view bytes);
  Result<> cut(std::uint64_t size);
  std::uint64_t size() const noexcept { return size_; }
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  AppendFile(std::filesystem::path path, int descriptor, std::uint64_t size)
      : path_(std::move(path)), descriptor_(descriptor), size_(size) {}
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace rltune
