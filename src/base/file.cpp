#include "rltune/base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <format>
#include <fstream>

#include "rltune/base/descriptor.hpp"

namespace rltune {
namespace {

std::unexpected<Error> system_error(const char* what, const std::filesystem::path& path) {
  const int code = errno;
  const Errc errc = code == ENOSPC || code == EDQUOT ? Errc::no_space : code == ENOENT ? Errc::not_found : Errc::io;
  return fail(errc, std::format("{} {}: {}", what, path.string(), std::strerror(code)));
}

Result<> write_all(int descriptor, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("cannot write", path);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<> sync_folder(const std::filesystem::path& folder) {
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0 || ::fsync(descriptor.get()) != 0) return system_error("cannot sync", folder);
  return {};
}

Result<> replace(const std::filesystem::path& path, std::string_view bytes, mode_t mode) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) return fail(Errc::io, std::format("cannot create {}: {}", folder.string(), code.message()));

  const std::filesystem::path partial = path.string() + std::format(".{}.part", ::getpid());
  {
    const Descriptor descriptor(::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
    if (descriptor.get() < 0) return system_error("cannot create", partial);
    auto written = write_all(descriptor.get(), bytes, partial);
    if (written && ::fsync(descriptor.get()) != 0) written = system_error("cannot sync", partial);
    if (!written) {
      ::unlink(partial.c_str());
      return written;
    }
  }
  if (::rename(partial.c_str(), path.c_str()) != 0) return system_error("cannot rename to", path);
  return sync_folder(folder);
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path) {
  std::error_code code;
  if (std::filesystem::is_directory(path, code))
    return fail(Errc::io, std::format("{} is a folder, not a file", path.string()));
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return system_error("cannot open", path);
  std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (stream.bad()) return system_error("cannot read", path);
  return bytes;
}

Result<> write_file(const std::filesystem::path& path, std::string_view bytes) { return replace(path, bytes, 0666); }

Result<> write_secret_file(const std::filesystem::path& path, std::string_view bytes) {
  return replace(path, bytes, 0600);
}

}  // namespace rltune
