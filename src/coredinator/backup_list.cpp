#include "backup_list.hpp"

#include <span>

#include "backup_desk.hpp"
#include "rltune/backup/listing.hpp"
#include "rltune/base/time.hpp"

namespace rltune::coredinator {
namespace {

constexpr std::size_t kBackupsMax = 1'000;

const char* trouble_of(Errc code) {
  switch (code) {
    case Errc::denied:
      return "it was made with another key";
    case Errc::corrupt:
    case Errc::parse:
      return "it is damaged, or of another version";
    default:
      return "it cannot be read";
  }
}

}  // namespace

void BackupList::add_to(bus::Server& server) {
  server.handle<v1::BackupsRequest, v1::BackupsAnswer>(
      "records.Backups",
      [this](const bus::Call&, const v1::BackupsRequest&, v1::BackupsAnswer& answer) { return list(answer); });
}

Result<> BackupList::list(v1::BackupsAnswer& answer) const {
  std::error_code ignored;
  const std::filesystem::path key_file = folder_ / kBackupKey, folder = folder_ / kBackupFolder;
  const auto files = backup::list(folder);
  if (!files) return {};  // none was made yet
  answer.set_left_out(files->size() > kBackupsMax ? files->size() - kBackupsMax : 0);
  const auto key = backup::find_backup_key(std::filesystem::exists(key_file, ignored) ? key_file : "");
  if (!key) {
    for (const std::filesystem::path& file : std::span(*files).subspan(answer.left_out())) {
      v1::BackupInfo& told = *answer.add_backups();
      told.set_name(file.filename().string());
      told.set_bytes(std::filesystem::file_size(file, ignored));
      told.set_trouble(std::string("the site has no key for backups: ") + kBackupKey);
    }
    return {};
  }
  const auto listed = backup::read_listing(folder, *key, kBackupsMax);
  if (!listed) return std::unexpected(listed.error());
  for (const auto& [file, bytes, manifest] : *listed) {
    v1::BackupInfo& told = *answer.add_backups();
    told.set_name(file.filename().string());
    told.set_bytes(bytes);
    if (!manifest) {
      told.set_trouble(trouble_of(manifest.error().code));
      continue;
    }
    told.set_parts(manifest->parts.size());
    const auto created = parse_rfc3339(manifest->created);
    if (!created) continue;
    told.set_created_unix_ns(created->time_since_epoch().count());
    answer.set_newest_age_s(to_seconds(clock_.now() - *created));
  }
  return {};
}

}  // namespace rltune::coredinator
