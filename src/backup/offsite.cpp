#include "rltune/backup/offsite.hpp"

#include <unistd.h>

#include <algorithm>
#include <format>
#include <set>

#include "names.hpp"
#include "rltune/backup/backup.hpp"
#include "s3_bucket.hpp"

namespace rltune::backup {
namespace {

namespace fs = std::filesystem;

class Folder final : public Offsite {
 public:
  explicit Folder(fs::path folder) : folder_(std::move(folder)) {}

  std::string name() const override { return folder_.string(); }

  Result<> put(const fs::path& file) override {
    std::error_code code;
    fs::create_directories(folder_, code);
    return copy(file, folder_ / file.filename());
  }

  Result<std::vector<Copy>> list() override {
    const auto files = backup::list(folder_);
    std::vector<Copy> copies;
    std::error_code code;
    if (!files && !fs::exists(folder_, code)) return copies;
    if (!files) return std::unexpected(files.error());
    for (const fs::path& file : *files) copies.push_back({file.filename().string(), fs::file_size(file, code)});
    return copies;
  }

  Result<> get(const std::string& name, const fs::path& file) override { return copy(folder_ / name, file); }

  Result<> remove(const std::string& name) override {
    std::error_code code;
    fs::remove(folder_ / name, code);
    if (code) return fail(Errc::io, std::format("cannot remove {}: {}", (folder_ / name).string(), code.message()));
    return {};
  }

 private:
  // The other side may be a network's: nothing has the name before all of it is there.
  static Result<> copy(const fs::path& from, const fs::path& to) {
    const fs::path partial = to.string() + std::format(".{}.part", ::getpid());
    std::error_code code;
    fs::remove(partial, code);
    fs::copy_file(from, partial, code);
    if (!code) fs::permissions(partial, fs::perms::owner_read | fs::perms::owner_write, code);
    if (!code) fs::rename(partial, to, code);
    if (!code) return {};
    const Errc errc = code == std::errc::no_space_on_device          ? Errc::no_space
                      : code == std::errc::no_such_file_or_directory ? Errc::not_found
                      : code == std::errc::permission_denied         ? Errc::denied
                                                                     : Errc::io;
    const std::string why = code.message();
    fs::remove(partial, code);
    return fail(errc, std::format("cannot copy {} to {}: {}", from.string(), to.string(), why));
  }

  fs::path folder_;
};

}  // namespace

Result<std::unique_ptr<Offsite>> open_offsite(const OffsiteOptions& options) {
  if (is_s3(options.place)) return open_s3_bucket(options);
  if (options.place.empty() || options.place.find("://") != std::string::npos)
    return fail(Errc::invalid_argument,
                std::format("'{}' is no place for copies; want a folder, or s3://BUCKET/PREFIX", options.place));
  return std::make_unique<Folder>(options.place);
}

Result<std::vector<std::string>> copy_missing(const fs::path& folder, const std::string& site, Offsite& place,
                                              const std::optional<config::BackupRetention>& rule) {
  const auto files = list(folder, site);
  if (!files) return std::unexpected(files.error());
  auto there = place.list();
  if (!there) return std::unexpected(there.error());
  std::set<std::string> known;
  for (const Copy& copy : *there)
    if (is_backup(copy.name, site)) known.insert(copy.name);
  std::vector<std::string> copied;
  std::set<std::string> all = known;
  for (const fs::path& file : *files) all.insert(file.filename().string());
  const std::set<std::string> gone = rule ? superfluous(all, *rule) : std::set<std::string>();
  for (auto file = files->rbegin(); file != files->rend(); ++file) {
    const std::string name = file->filename().string();
    if (known.contains(name) || gone.contains(name)) continue;
    if (auto done = place.put(*file); !done) return std::unexpected(done.error());
    copied.push_back(name);
  }
  for (const std::string& name : gone)
    if (known.contains(name))
      if (auto done = place.remove(name); !done) return std::unexpected(done.error());
  return copied;
}

}  // namespace rltune::backup
