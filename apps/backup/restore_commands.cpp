// rltune backup key FILE | list PLACE | verify FILE | restore FILE --to DIR
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <print>

#include "backup.hpp"
#include "copier.hpp"
#include "rltune/audit/log.hpp"
#include "rltune/backup/listing.hpp"
#include "rltune/base/log.hpp"
#include "rltune/config/site.hpp"

namespace rltune::backup {
namespace {

using nlohmann::ordered_json;

struct FileOptions {
  std::string file;  // or s3://BUCKET/PREFIX/NAME
  std::filesystem::path to, scratch, beside, progress;
  std::string key;
  OffsiteOptions s3;
  bool anyway = false;
  bool json = false;
};

ordered_json to_json(const Restored& restored) {
  const Agreement& found = restored.agreement;
  ordered_json object{{"name", restored.manifest.name},
                      {"point_in_time", restored.manifest.created},
                      {"version", restored.manifest.version},
                      {"parts", restored.manifest.parts.size()},
                      {"databases", found.databases},
                      {"decisions", found.decisions},
                      {"weights", found.policies},
                      {"checkpoints", found.checkpoints},
                      {"versions", found.versions},
                      {"audit_lines", found.audit_lines},
                      {"faults", found.faults},
                      {"notes", found.notes}};
  object["configuration"] = found.configuration.empty() ? ordered_json(nullptr) : ordered_json(found.configuration);
  object["site"] = restored.site.empty() ? ordered_json(nullptr) : ordered_json(restored.site.string());
  return object;
}

void print_text(const Restored& restored) {
  const Agreement& found = restored.agreement;
  std::println("{} as of {}: {}", restored.manifest.name, restored.manifest.created,
               counted(restored.manifest.parts.size(), "part"));
  std::println("  {}, {}, {}, {}, {}, {}", counted(found.databases, "database"), counted(found.decisions, "decision"),
               counted(found.policies, "weight set"), counted(found.checkpoints, "checkpoint"),
               counted(found.versions, "agent version"), counted(found.audit_lines, "audit line"));
  if (!found.configuration.empty()) std::println("  configuration version {}", found.configuration.substr(0, 10));
  for (const std::string& note : found.notes) std::println("  note: {}", note);
  for (const std::string& fault : found.faults) std::println("  FAULT {}", fault);
}

// Plain copies of what is secret: for the owner alone, and gone at the end.
class Scratch {
 public:
  explicit Scratch(const std::filesystem::path& parent) {
    std::string pattern =
        ((parent.empty() ? std::filesystem::temp_directory_path() : parent) / "rltune-backup-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) stop(kFailed, std::format("cannot make a folder like {}", pattern));
    folder_ = pattern;
  }
  ~Scratch() {
    std::error_code code;
    std::filesystem::remove_all(folder_, code);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

// The backup's file; one that lies in a bucket is fetched first, and gone with this.
class Fetched {
 public:
  Fetched(const FileOptions& options, const std::filesystem::path& parent) : file_(options.file) {
    if (!is_s3(options.file)) {
      if (!std::filesystem::is_regular_file(file_))
        stop(kFailed, std::format("{}: there is no such file", options.file));
      return;
    }
    const std::size_t slash = options.file.rfind('/');
    OffsiteOptions place = options.s3;
    place.place = options.file.substr(0, slash);
    const std::string name = options.file.substr(slash + 1);
    folder_.emplace(parent);
    file_ = folder_->folder() / name;
    if (const auto got = find_offsite(place)->get(name, file_); !got) stop(got.error());
  }
  const std::filesystem::path& file() const { return file_; }

 private:
  std::optional<Scratch> folder_;
  std::filesystem::path file_;
};

Result<Restored> verify_where_wanted(const FileOptions& options, const Key& key) {
  const Fetched backup(options, options.scratch);
  if (!options.beside.empty()) return verify_beside(options.beside, backup.file(), key);
  const Scratch scratch(options.scratch);
  return verify(backup.file(), key, scratch.folder() / "content");
}

void verify_command(const FileOptions& options) {
  std::optional<ProgressFile> progress;
  if (!options.progress.empty()) progress.emplace(options.progress);
  const Key key = find_key(options.key, options.progress);
  if (progress) (*progress)({.stage = "unpacking"});
  if (progress && !is_s3(options.file) && !std::filesystem::exists(options.file))
    (*progress)({.stage = "failed", .trouble = "there is no such backup"});
  const auto restored = verify_where_wanted(options, key);
  if (progress && !restored) (*progress)({.stage = "failed", .trouble = restored.error().message});
  if (!restored) stop(restored.error());
  const Agreement& found = restored->agreement;
  if (progress) (*progress)({.stage = "done", .faults = found.faults, .notes = found.notes});
  if (options.json)
    std::println("{}", to_json(*restored).dump(2));
  else
    print_text(*restored);
  if (!found.faults.empty()) throw Exit{kFailed};
  if (!options.json) std::println("it can be restored: every part is whole, and they agree");
}

void restore_command(const FileOptions& options) {
  const Key key = find_key(options.key);
  const auto parent = std::filesystem::absolute(options.to / "").parent_path().parent_path();
  std::error_code code;
  std::filesystem::create_directories(parent, code);
  const Fetched backup(options, parent);
  const auto restored = restore(backup.file(), key, options.to, options.anyway);
  if (!restored) stop(restored.error());
  if (const auto site = config::load_site(restored->site)) {
    const audit::Entry entry{
        .actor = command::user_name(),
        .action = "backup.restore",
        .target = restored->manifest.name,
        .details = {{"file", backup.file().filename().string()}, {"point_in_time", restored->manifest.created}}};
    const auto recorded = audit::append_once(site->folder / site->storage.folder / "audit", "cli", entry);
    if (!recorded) log::error("this restoring is not on record", {{"reason", recorded.error().message}});
  }
  if (options.json) return std::println("{}", to_json(*restored).dump(2));
  print_text(*restored);
  std::println("restored; run it with: rltune up {}", restored->site.string());
}

// What lies elsewhere is not fetched to be looked at.
void list_place(const FileOptions& options) {
  OffsiteOptions place = options.s3;
  place.place = options.file;
  const auto copies = find_offsite(place)->list();
  if (!copies) stop(copies.error());
  ordered_json backups = ordered_json::array();
  for (const Copy& copy : *copies) {
    backups.push_back({{"file", copy.name}, {"bytes", copy.bytes}});
    if (!options.json) std::println("{}  {}", copy.name, show_bytes(copy.bytes));
  }
  if (options.json) std::println("{}", ordered_json{{"backups", std::move(backups)}}.dump(2));
}

void print_copies(const ordered_json& copies) {
  const auto text = [](const ordered_json& status, const char* field) {
    return status.contains(field) && status[field].is_string() ? status[field].get<std::string>() : std::string();
  };
  for (const ordered_json& status : copies) {
    const std::string newest = text(status, "newest_copied"), trouble = text(status, "trouble");
    std::println("copies to {}: {}", text(status, "place"),
                 newest.empty() ? "none yet" : std::format("newest {} at {}", newest, text(status, "copied_at")));
    if (!trouble.empty())
      std::println("  waiting since {}, next try at {}: {}", text(status, "trouble_since"), text(status, "next_try"),
                   trouble);
  }
}

void list_command(const FileOptions& options) {
  if (is_s3(options.file)) return list_place(options);
  const Key key = find_key(options.key);
  const auto listed = read_listing(options.file, key);
  if (!listed) stop(listed.error());
  ordered_json backups = ordered_json::array();
  bool good = true;
  for (const auto& [file, bytes, manifest] : *listed) {
    good = good && manifest;
    ordered_json one{{"file", file.string()}, {"bytes", bytes}};
    one["name"] = manifest ? ordered_json(manifest->name) : ordered_json(nullptr);
    one["point_in_time"] = manifest ? ordered_json(manifest->created) : ordered_json(nullptr);
    one["parts"] = manifest ? ordered_json(manifest->parts.size()) : ordered_json(nullptr);
    one["trouble"] = manifest ? ordered_json(nullptr) : ordered_json(manifest.error().message);
    backups.push_back(std::move(one));
    if (options.json) continue;
    if (manifest)
      std::println("{}  {} as of {}, {}, {}", file.filename().string(), manifest->name, manifest->created,
                   counted(manifest->parts.size(), "part"), show_bytes(bytes));
    else
      std::println("{}  {}", file.filename().string(), manifest.error().message);
  }
  const ordered_json copies = copies_of(options.file);
  if (options.json)
    std::println("{}", ordered_json{{"backups", std::move(backups)}, {"copies", copies}}.dump(2));
  else
    print_copies(copies);
  if (!options.json && listed->empty()) std::println(stderr, "no backups in {}", options.file);
  if (!good) throw Exit{kFailed};
}

CLI::App& add(CLI::App& app, const std::string& verb, const std::string& about, const std::string& what,
              const std::shared_ptr<FileOptions>& options, void (*run)(const FileOptions&)) {
  CLI::App& command = *app.add_subcommand(verb, about);
  command.add_option("file", options->file, what)->required();
  add_key_option(command, options->key);
  add_offsite_options(command, options->s3);
  command.remove_option(command.get_option("--offsite"));
  command.add_flag("--json", options->json, "One JSON object on stdout");
  command.callback([options, run] { run(*options); });
  return command;
}

}  // namespace

void add_key_option(CLI::App& command, std::string& key) {
  command
      .add_option("--key", key,
                  "The key's file; otherwise RLTUNE_BACKUP_KEY, or the systemd credential rltune-backup-key")
      ->type_name("FILE");
}

Key find_key(const std::string& file, const std::filesystem::path& progress) {
  auto key = find_backup_key(file);
  if (!key && !progress.empty()) ProgressFile{progress}({.stage = "failed", .trouble = key.error().message});
  if (!key) stop(key.error());
  return *std::move(key);
}

void add_progress_option(CLI::App& command, std::filesystem::path& file) {
  command.add_option("--progress", file, "File that says how far it is, as JSON")->type_name("FILE");
}

std::string show_bytes(std::uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000.0 && unit + 1 < std::size(kUnits); ++unit) value /= 1000.0;
  return std::format("{:.{}f} {}", value, unit == 0 ? 0 : 1, kUnits[unit]);
}

void add_key_command(CLI::App& app) {
  const auto file = std::make_shared<std::filesystem::path>();
  CLI::App& command = *app.add_subcommand("key", "Make a key; keep a copy where the backups are not");
  command.add_option("file", *file, "The file to make")->required();
  command.footer("Whoever loses the key has no backup. Example:\n  rltune backup key backup.key");
  command.callback([file] {
    if (auto made = Key::make_file(*file); !made) stop(made.error());
    std::println("{}: keep a copy of it away from this host, and away from the backups", file->string());
  });
}

void add_list_command(CLI::App& app) {
  add(app, "list", "The backups in a folder", "The folder, or s3://BUCKET/PREFIX", std::make_shared<FileOptions>(),
      list_command)
      .footer("Example:\n  rltune backup list /mnt/safe --key backup.key");
}

void add_verify_command(CLI::App& app) {
  const auto options = std::make_shared<FileOptions>();
  CLI::App& command = add(app, "verify", "Restore into a scratch folder and look whether everything agrees",
                          "The backup: a file, or s3://BUCKET/PREFIX/NAME", options, verify_command);
  command.add_option("--scratch", options->scratch, "Where the scratch folder is made; by default the system's own")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  command.add_option("--site", options->beside, "Among the data of the site of this file, instead")
      ->type_name("SITE")
      ->check(CLI::ExistingFile)
      ->excludes("--scratch");
  add_progress_option(command, options->progress);
  command.footer("Example:\n  rltune backup verify /mnt/safe/pilot-20260102T030000Z.rltune-backup --key backup.key");
}

void add_restore_command(CLI::App& app) {
  const auto options = std::make_shared<FileOptions>();
  CLI::App& command = add(app, "restore", "Back from a backup, into an empty folder, all of it or nothing",
                          "The backup: a file, or s3://BUCKET/PREFIX/NAME", options, restore_command);
  command.add_option("--to", options->to, "The folder: empty, or not there")->type_name("DIR")->required();
  command.add_flag("--anyway", options->anyway, "Also where the site was damaged already; the faults are told");
  command.footer(
      "Example:\n  rltune backup restore /mnt/safe/pilot-20260102T030000Z.rltune-backup --key backup.key --to site");
}

}  // namespace rltune::backup
