#include "artifact_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <format>
#include <map>

#include "rltune/base/file.hpp"
#include "rltune/base/sha256.hpp"

namespace rltune::coredinator {
namespace {

constexpr const char* kManifest = "manifest.yaml";
constexpr const char* kUnfinished = ".unfinished-";
constexpr std::size_t kFilesMax = 64;
constexpr std::uintmax_t kBytesMax = 64U << 20U;

// Name -> contents.
using Files = std::map<std::string, std::string>;

Result<Files> read_files(const std::filesystem::path& folder) {
  std::error_code code;
  if (!std::filesystem::is_regular_file(folder / kManifest, code))
    return fail(Errc::not_found, std::format("{} has no {}; want a folder that 'rltune policy train' wrote",
                                             folder.string(), kManifest));
  Files files;
  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_symlink(code) || !entry.is_regular_file(code))
      return fail(Errc::invalid_argument, std::format("{} is not a plain file", entry.path().string()));
    bytes += entry.file_size(code);
    if (files.size() >= kFilesMax || bytes > kBytesMax)
      return fail(Errc::invalid_argument,
                  std::format("{} is larger than {} files or {} MiB", folder.string(), kFilesMax, kBytesMax >> 20U));
    auto contents = read_file(entry.path());
    if (!contents) return std::unexpected(contents.error());
    files.emplace(name, std::move(*contents));
  }
  if (code) return fail(Errc::io, std::format("cannot read {}: {}", folder.string(), code.message()));
  return files;
}

std::string hash_of(const Files& files) {
  std::string list;
  for (const auto& [name, contents] : files) list += std::format("{} {}\n", sha256(contents), name);
  return sha256(list);
}

void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

Result<std::string> ArtifactStore::take(const std::filesystem::path& from) const {
  const auto files = read_files(from);
  if (!files) return std::unexpected(files.error());
  std::string hash = hash_of(*files);
  if (verify(hash)) return hash;
  const std::filesystem::path unfinished = folder_ / (kUnfinished + hash), finished = path_of(hash);
  std::error_code code;
  std::filesystem::remove_all(unfinished, code);
  std::filesystem::remove_all(finished, code);  // damaged
  for (const auto& [name, contents] : *files)
    if (auto written = write_file(unfinished / name, contents); !written) return std::unexpected(written.error());
  std::filesystem::rename(unfinished, finished, code);
  if (code) return fail(Errc::io, std::format("cannot make {}: {}", finished.string(), code.message()));
  sync_folder(folder_);
  return hash;
}

Result<> ArtifactStore::verify(const std::string& sha256) const {
  const auto files = read_files(path_of(sha256));
  if (!files) return std::unexpected(files.error());
  if (hash_of(*files) != sha256)
    return fail(Errc::corrupt, std::format("{} is damaged: its contents are not what its name says; deploy the "
                                           "version's folder again under another version",
                                           path_of(sha256).string()));
  return {};
}

void ArtifactStore::sweep(const std::set<std::string>& named) const noexcept {
  std::error_code code;
  std::vector<std::filesystem::path> orphans;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, code))
    if (!named.contains(entry.path().filename().string())) orphans.push_back(entry.path());
  for (const std::filesystem::path& orphan : orphans) std::filesystem::remove_all(orphan, code);
}

}  // namespace rltune::coredinator
