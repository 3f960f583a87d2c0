#include "rltune/base/append_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <format>
#include <utility>

namespace rltune {
namespace {

std::unexpected<Error> system_error(const char* what, const std::filesystem::path& path) {
  const int code = errno;
  const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
  return fail(full                                               ? Errc::no_space
              : code == EACCES || code == EPERM || code == EROFS ? Errc::denied
                                                                 : Errc::io,
              std::format("cannot {} {}: {}", what, path.string(), std::strerror(code)));
}

Result<> sync_folder_of(const std::filesystem::path& path) {
  const int folder = ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool good = folder >= 0 && ::fsync(folder) == 0;
  Result<> done = good ? Result<>{} : Result<>(system_error("sync the folder of", path));
  if (folder >= 0) ::close(folder);
  return done;
}

}  // namespace

Result<AppendFile> AppendFile::open(const std::filesystem::path& path) {
  const bool known = ::access(path.c_str(), F_OK) == 0;
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  struct stat status{};
  if (descriptor < 0) return system_error("open", path);
  AppendFile file(path, descriptor, 0);
  if (::fstat(descriptor, &status) != 0) return system_error("look at", path);
  file.size_ = static_cast<std::uint64_t>(status.st_size);
  if (!known)
    if (auto synced = sync_folder_of(path); !synced) return std::unexpected(synced.error());
  return file;
}

AppendFile::~AppendFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

AppendFile::AppendFile(AppendFile&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

AppendFile& AppendFile::operator=(AppendFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

Result<> AppendFile::add(std::string_view bytes) {
  for (std::string_view rest = bytes; !rest.empty();) {
    const ssize_t count = ::write(descriptor_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      Error error = system_error("write", path_).error();
      if (auto back = cut(size_); !back) error.message += "; " + back.error().message;
      return std::unexpected(std::move(error));
    }
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fdatasync(descriptor_) != 0) return system_error("sync", path_);
  size_ += bytes.size();
  return {};
}

Result<> AppendFile::cut(std::uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) return system_error("cut", path_);
  size_ = size;
  return {};
}

}  // namespace rltune
