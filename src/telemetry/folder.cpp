// A folder of the machine's own.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>
#include <optional>

#include "rltune/base/descriptor.hpp"
#include "rltune/telemetry/storage.hpp"

namespace rltune::telemetry {
namespace {

std::unexpected<Error> failure(const std::filesystem::path& path, const char* what) {
  const Errc code = errno == ENOSPC || errno == EDQUOT ? Errc::no_space : errno == ENOENT ? Errc::not_found : Errc::io;
  return fail(code, std::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)));
}

class DiskFile final : public StoredFile {
 public:
  DiskFile(std::filesystem::path path, Descriptor descriptor)
      : path_(std::move(path)), descriptor_(std::move(descriptor)) {}

  Result<> write(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t done = ::pwrite(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) return failure(path_, "write");
      bytes.remove_prefix(static_cast<std::size_t>(done));
      offset += static_cast<std::uint64_t>(done);
    }
    return {};
  }
  Result<> sync() override {
    if (::fdatasync(descriptor_.get()) != 0) return failure(path_, "sync");
    return {};
  }
  Result<std::size_t> read(std::uint64_t offset, std::span<char> into) override {
    std::size_t got = 0;
    while (got < into.size()) {
      const ssize_t done =
          ::pread(descriptor_.get(), into.data() + got, into.size() - got, static_cast<off_t>(offset + got));
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) return failure(path_, "read");
      if (done == 0) break;
      got += static_cast<std::size_t>(done);
    }
    return got;
  }
  Result<std::uint64_t> size() override {
    struct stat about{};
    if (::fstat(descriptor_.get(), &about) != 0) return failure(path_, "look at");
    return static_cast<std::uint64_t>(about.st_size);
  }

 private:
  std::filesystem::path path_;
  Descriptor descriptor_;
};

class Folder final : public Storage {
 public:
  // Without a lock it is opened to be read.
  Folder(std::filesystem::path path, Descriptor folder, std::optional<Descriptor> lock)
      : path_(std::move(path)), folder_(std::move(folder)), lock_(std::move(lock)) {}

  Result<std::unique_ptr<StoredFile>> create(const std::string& name) override {
    if (!lock_) return only_read();
    return file(name, O_RDWR | O_CREAT | O_EXCL, "create");
  }
  Result<std::unique_ptr<StoredFile>> open(const std::string& name) override {
    return file(name, lock_ ? O_RDWR : O_RDONLY, "open");
  }
  Result<> remove(const std::string& name) override {
    if (!lock_) return only_read();
    if (::unlinkat(folder_.get(), name.c_str(), 0) != 0) return failure(path_ / name, "remove");
    return {};
  }
  Result<std::vector<std::string>> list() override {
    std::vector<std::string> names;
    std::error_code code;
    for (auto entry = std::filesystem::directory_iterator(path_, code);
         !code && entry != std::filesystem::directory_iterator(); entry.increment(code))
      names.push_back(entry->path().filename().string());
    if (code) return fail(Errc::io, std::format("cannot list {}: {}", path_.string(), code.message()));
    std::ranges::sort(names);
    return names;
  }
  Result<> sync() override {
    if (::fsync(folder_.get()) != 0) return failure(path_, "sync");
    return {};
  }
  std::uint64_t free_bytes() override {
    struct statvfs about{};
    if (::fstatvfs(folder_.get(), &about) != 0) return 0;
    return static_cast<std::uint64_t>(about.f_bavail) * about.f_frsize;
  }

 private:
  Result<std::unique_ptr<StoredFile>> file(const std::string& name, int flags, const char* what) {
    Descriptor descriptor(::openat(folder_.get(), name.c_str(), flags | O_CLOEXEC, 0640));
    if (descriptor.get() < 0) return failure(path_ / name, what);
    return std::make_unique<DiskFile>(path_ / name, std::move(descriptor));
  }
  std::unexpected<Error> only_read() const { return fail(Errc::denied, path_.string() + " was opened to be read"); }

  std::filesystem::path path_;
  Descriptor folder_;
  std::optional<Descriptor> lock_;
};

}  // namespace

Result<std::unique_ptr<Storage>> open_folder(const std::filesystem::path& folder) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) return fail(Errc::io, std::format("cannot create {}: {}", folder.string(), code.message()));
  Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() < 0) return failure(folder, "open");
  Descriptor lock(::openat(opened.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (lock.get() < 0) return failure(folder / "lock", "open");
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(Errc::denied, folder.string() + " belongs to another process that runs");
  return std::make_unique<Folder>(folder, std::move(opened), std::move(lock));
}

Result<std::unique_ptr<Storage>> open_folder_to_read(const std::filesystem::path& folder) {
  Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() < 0) return failure(folder, "open");
  return std::make_unique<Folder>(folder, std::move(opened), std::nullopt);
}

}  // namespace rltune::telemetry
