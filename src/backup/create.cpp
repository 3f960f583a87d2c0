#include <sys/stat.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <format>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "examine.hpp"
#include "names.hpp"
#include "rltune/backup/backup.hpp"
#include "rltune/base/damage.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/log.hpp"
#include "rltune/config/site.hpp"
#include "snapshot.hpp"
#include "staging.hpp"

namespace rltune::backup {
namespace {

namespace fs = std::filesystem;

// A learner takes decisions off the bus; io's writer commits them well within this.
constexpr auto kCheckpointAge = std::chrono::seconds(5);
// What a site replaces while it is copied is begun again, so often; waits grow to kRetryWaitMax.
constexpr int kAttemptsMax = 200;
constexpr auto kRetryWaitMax = std::chrono::milliseconds(50);

// When a file is copied: docs/formats/backup.md says why in this order.
enum class Turn { checkpoint, config, pointer, database, content, audit_head, audit_line };

struct Source {
  Turn turn;
  fs::path path;
};

// Folders of the data that no backup has: what sinks and exports are for, and who is signed in, which an old copy would
// bring back.
bool stays_here(const fs::path& relative) { return relative == "telemetry" || relative == "access"; }

// What stands at a path: a file that was replaced is another one.
struct Seen {
  fs::path path;
  ino_t node = 0;
  off_t size = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const Seen&) const = default;
};

bool passes_by(const fs::path& relative) {
  const std::string name = relative.filename().string();
  if (is_backup(name)) return true;
  for (const char* end : {"-wal", "-shm", "-journal", ".part", ".lock"})
    if (name.ends_with(end)) return true;
  return name == "lock" || name.starts_with("tmp_object") || std::ranges::any_of(relative, [](const fs::path& step) {
           return step.string().starts_with(".unfinished-") || step.string().contains(".damaged-");
         });
}

Turn turn_of_data(const fs::path& relative) {
  const std::string first = relative.begin()->string(), extension = relative.extension().string();
  if (extension == ".db" || extension == ".sqlite") return Turn::database;
  if (first == "learner" && extension == ".checkpoint") return Turn::checkpoint;
  if (first == "artifacts") return Turn::content;
  if (first == "audit") return relative.filename() == "heads.jsonl" ? Turn::audit_head : Turn::audit_line;
  if (extension == ".onnx") return Turn::content;
  return Turn::pointer;
}

// Of a git repository the objects are content; what points at them is not.
Turn turn_of_file(const fs::path& path) {
  const auto has = [&](const char* name) {
    return std::ranges::any_of(path, [&](const auto& step) { return step == name; });
  };
  if (!has("config.git")) return Turn::pointer;
  return has("objects") ? Turn::content : Turn::config;
}

// Files that a configuration names beside itself: "password_file: secrets/plc".
void add_named_files(const YAML::Node& node, std::vector<fs::path>& found) {
  if (node.IsSequence())
    for (const auto& one : node) add_named_files(one, found);
  if (!node.IsMap()) return;
  for (const auto& field : node) {
    const bool names = field.second.IsScalar() && field.first.Scalar().ends_with("_file");
    if (names && !field.second.Scalar().empty()) found.emplace_back(field.second.Scalar());
    add_named_files(field.second, found);
  }
}

std::vector<fs::path> named_files(const fs::path& yaml) {
  std::vector<fs::path> found;
  try {
    add_named_files(YAML::LoadFile(yaml.string()), found);
  } catch (const YAML::Exception& exception) {
    log::warning("a configuration file cannot be read for the files that it names",
                 {{"file", yaml.string()}, {"reason", exception.what()}});
  }
  return found;
}

class Collector {
 public:
  explicit Collector(const config::Site& site, fs::path site_file)
      : site_(site),
        site_file_(fs::absolute(site_file).lexically_normal()),
        folder_(site_file_.parent_path()),
        data_((folder_ / site.storage.folder).lexically_normal()) {}

  // What is copied at this turn, and perhaps more. What is replaced often is listed alone: that is quick.
  Result<std::vector<Source>> collect(Turn turn) {
    Result<> done = turn == Turn::checkpoint ? walk_folder(data_, data_ / "learner", true) : configuration();
    if (turn != Turn::checkpoint && turn != Turn::config && done) done = others();
    if (!done) return std::unexpected(done.error());
    return std::move(sources_);
  }

 private:
  void add(Turn turn, const fs::path& path) {
    if (known_.insert(path).second) sources_.push_back({turn, path});
  }

  Result<> configuration() {
    add(Turn::config, site_file_);
    const auto files = entries_of(folder_);
    const auto history = entries_of(folder_ / "config.git");
    if (!files) return std::unexpected(files.error());
    if (!history) return std::unexpected(history.error());
    for (const fs::directory_entry& entry : *files)
      if (entry.path().extension() == ".yaml")
        if (auto done = walk(entry.path().lexically_normal(), false, Turn::config); !done) return done;
    for (const fs::directory_entry& entry : *history)
      if (entry.path().filename() != "objects")
        if (auto done = walk(entry.path().lexically_normal(), false, Turn::config); !done) return done;
    return {};
  }

  Result<> others() {
    if (auto done = walk(data_, true); !done) return done;
    std::vector<fs::path> named{"config.git/objects"};
    for (const config::Agent& agent : site_.agents) named.push_back(agent.policy);
    if (!site_.link.pki.empty()) named.push_back(site_.link.pki);
    for (const Source& source : std::vector(sources_))
      if (source.path.extension() == ".yaml" && source.turn == Turn::config)
        std::ranges::move(named_files(source.path), std::back_inserter(named));
    for (const fs::path& one : named)
      if (auto done = walk((folder_ / one).lexically_normal(), false); !done) return done;
    return {};
  }

  // A file, or everything in a folder; nothing where it is not there.
  Result<> walk(const fs::path& root, bool data, Turn file = Turn::pointer) {
    std::error_code code;
    if (!fs::exists(root, code)) return {};
    if (fs::is_regular_file(root, code)) {
      if (!passes_by(root.filename())) add(file, root);
      return {};
    }
    return walk_folder(root, root, data);
  }

  // The listing of a folder may fail for a file that goes meanwhile: then it is made again.
  static Result<std::vector<fs::directory_entry>> entries_of(const fs::path& folder) {
    std::error_code code;
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      code.clear();
      std::vector<fs::directory_entry> entries;
      auto entry = fs::directory_iterator(folder, code);
      for (; !code && entry != fs::directory_iterator(); entry.increment(code)) entries.push_back(*entry);
      if (!code) return entries;
      std::error_code ignored;
      if (code != std::errc::no_such_file_or_directory) break;
      if (!fs::exists(folder, ignored)) return std::vector<fs::directory_entry>{};
    }
    return fail(Errc::io, std::format("cannot list {}: {}", folder.string(), code.message()));
  }

  Result<> walk_folder(const fs::path& root, const fs::path& folder, bool data) {
    const auto entries = entries_of(folder);
    if (!entries) return std::unexpected(entries.error());
    for (const fs::directory_entry& entry : *entries) {
      const fs::path relative = entry.path().lexically_relative(root);
      std::error_code gone;
      const fs::file_status status = entry.symlink_status(gone);
      const bool passed = relative == kStaging || (data && root == data_ && stays_here(relative));
      if (fs::is_directory(status) && !passed && (data || entry.path() != data_))
        if (auto done = walk_folder(root, entry.path(), data); !done) return done;
      if (fs::is_regular_file(status) && !passes_by(relative))
        add(data ? turn_of_data(relative) : turn_of_file(entry.path()), entry.path());
    }
    return {};
  }

  const config::Site& site_;
  fs::path site_file_, folder_, data_;
  std::vector<Source> sources_;
  std::set<fs::path> known_;
};

// The folder that everything lies in: names of parts begin there.
fs::path common_root(const std::vector<Source>& sources) {
  fs::path root = sources.front().path.parent_path();
  for (const Source& source : sources)
    while (!root.empty() && root != root.root_path() && *source.path.lexically_relative(root).begin() == "..")
      root = root.parent_path();
  return root;
}

// Copies as they are now; what is added to files meanwhile stays out, whole lines alone in what is lines.
Result<> copy_file(const fs::path& from, const fs::path& to, bool lines) {
  std::error_code code;
  fs::copy_file(from, to, code);
  if (code)
    return fail(code == std::errc::no_such_file_or_directory ? Errc::not_found
                : code == std::errc::no_space_on_device      ? Errc::no_space
                                                             : Errc::io,
                std::format("cannot copy {}: {}", from.string(), code.message()));
  fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write, code);
  if (!lines) return {};
  const auto text = read_file(to);
  if (!text) return std::unexpected(text.error());
  const std::size_t end = text->rfind('\n');
  fs::resize_file(to, end == std::string::npos ? 0 : end + 1, code);
  return {};
}

// What is replaced and never changed in place stays as it is under a second name.
Result<> link_file(const fs::path& from, const fs::path& to) {
  std::error_code code;
  fs::create_hard_link(from, to, code);
  return code ? copy_file(from, to, false) : Result<>{};
}

class Copier {
 public:
  Copier(const config::Site& site, const fs::path& site_file, const fs::path& folder, const Clock& clock,
         const TellProgress& tell)
      : collect_([&site, site_file](Turn turn) { return Collector(site, site_file).collect(turn); }),
        folder_(folder),
        clock_(clock),
        tell_(tell) {}

  Result<> run() {
    const auto sources = collect_(Turn::content);
    if (!sources) return std::unexpected(sources.error());
    root_ = common_root(*sources);
    if (auto done = copy_whole(Turn::checkpoint); !done) return done;
    wait_for_checkpoints();
    if (auto done = copy_whole(Turn::config); !done) return done;
    if (auto done = copy(Turn::pointer); !done) return done;
    if (auto done = hold_databases(); !done) return done;
    for (const Turn turn : {Turn::content, Turn::audit_head, Turn::audit_line})
      if (auto done = copy(turn); !done) return done;
    return copy_databases();
  }

  TimePoint created() const { return created_; }
  std::string name_of(const fs::path& path) const { return path.lexically_relative(root_).generic_string(); }
  const std::map<std::string, std::string>& kinds() const { return kinds_; }

 private:
  // The list is made again for each turn: what came with an earlier one has to be in a later one.
  Result<std::vector<Seen>> look(Turn turn) const {
    const auto sources = collect_(turn);
    if (!sources) return std::unexpected(sources.error());
    std::vector<Seen> seen;
    for (const Source& source : *sources) {
      if (source.turn != turn) continue;
      struct stat status{};  // of a file that is gone already: nothing, and it will not be found when it is copied
      ::stat(source.path.c_str(), &status);
      seen.push_back({.path = source.path,
                      .node = status.st_ino,
                      .size = status.st_size,
                      .changed_ns = status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec});
    }
    std::ranges::sort(seen, {}, &Seen::path);
    return seen;
  }

  static void pause(int attempt) {
    std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(std::chrono::milliseconds(attempt), kRetryWaitMax));
  }
  static std::unexpected<Error> restless(const char* what) {
    return fail(Errc::timeout, std::format("{} are replaced faster than they can be copied; no backup was made, try "
                                           "again when the site is quieter",
                                           what));
  }

  // One generation of files that belong together: as they stood at one moment, none of them gone or replaced meanwhile.
  Result<> copy_whole(Turn turn) {
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      const auto seen = look(turn);
      if (!seen) return std::unexpected(seen.error());
      std::vector<fs::path> taken;
      Result<> done;
      for (const Seen& one : *seen) {
        if (done = take(turn, one.path); !done) break;
        taken.push_back(one.path);
      }
      if (!done && done.error().code != Errc::not_found) return done;
      const auto after = done ? look(turn) : seen;
      if (!after) return std::unexpected(after.error());
      if (done && *after == *seen) return {};
      for (const fs::path& path : taken) drop(path);
      pause(attempt);
    }
    return restless(turn == Turn::checkpoint ? "checkpoints" : "the configuration's files");
  }

  // Files that stand for themselves: each as it is when its turn comes.
  Result<> copy(Turn turn) {
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      const auto seen = look(turn);
      if (!seen) return std::unexpected(seen.error());
      bool went = false;
      for (const Seen& one : *seen) {
        if (kinds_.contains(name_of(one.path))) continue;
        const auto done = take(turn, one.path);
        went = went || (!done && done.error().code == Errc::not_found);
        if (!done && done.error().code != Errc::not_found) return done;
      }
      if (!went) return {};
      pause(attempt);
    }
    return restless("the site's files");
  }

  Result<> take(Turn turn, const fs::path& path) {
    const auto target = place(path);
    if (!target) return std::unexpected(target.error());
    const bool linked = turn == Turn::checkpoint || (turn == Turn::content && path.extension() == ".onnx");
    auto done = linked ? link_file(path, *target) : copy_file(path, *target, path.extension() == ".jsonl");
    if (!done) return done;
    kinds_[name_of(path)] = "file";
    count(*target);
    return done;
  }

  void count(const fs::path& copy) {
    std::error_code code;
    const std::uintmax_t bytes = fs::file_size(copy, code);
    copied_ += code ? 0 : bytes;
    if (tell_) tell_({.stage = "copying", .bytes = copied_});
  }

  void drop(const fs::path& path) {
    std::error_code code;
    fs::remove(folder_ / name_of(path), code);
    kinds_.erase(name_of(path));
  }

  void wait_for_checkpoints() const {
    std::error_code code;
    fs::file_time_type newest = fs::file_time_type::min();
    for (const auto& [name, kind] : kinds_) newest = std::max(newest, fs::last_write_time(folder_ / name, code));
    if (newest == fs::file_time_type::min()) return;
    const auto age = fs::file_time_type::clock::now() - newest;
    if (age < kCheckpointAge) std::this_thread::sleep_for(kCheckpointAge - age);
  }

  Result<fs::path> place(const fs::path& path) {
    const std::string name = name_of(path);
    fs::path target = folder_ / name;
    std::error_code code;
    fs::create_directories(target.parent_path(), code);
    if (code) return fail(Errc::io, std::format("cannot create {}: {}", target.parent_path().string(), code.message()));
    return target;
  }

  // All at once: a file that came or went while they were opened would leave a gap.
  Result<> hold_databases() {
    const auto paths_of = [](const std::vector<Seen>& seen) {
      std::vector<fs::path> paths;
      for (const Seen& one : seen) paths.push_back(one.path);
      return paths;
    };
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      const auto seen = look(Turn::database);
      if (!seen) return std::unexpected(seen.error());
      if (auto held = hold(paths_of(*seen)); !held) {
        if (held.error().code != Errc::not_found) return held;
      } else {
        created_ = clock_.now();
        const auto after = look(Turn::database);
        if (!after) return std::unexpected(after.error());
        if (paths_of(*after) == paths_of(*seen)) return {};
      }
      pause(attempt);
    }
    return restless("databases");
  }

  Result<> hold(const std::vector<fs::path>& paths) {
    snapshots_.clear();
    for (const fs::path& path : paths) {
      auto snapshot = Snapshot::open(path);
      if (!snapshot) return std::unexpected(snapshot.error());
      snapshots_.emplace_back(path, std::move(*snapshot));
    }
    return {};
  }

  Result<> copy_databases() {
    for (const auto& [path, snapshot] : snapshots_) {
      const auto target = place(path);
      if (!target) return std::unexpected(target.error());
      if (auto done = snapshot.copy_to(*target); !done) return done;
      kinds_[name_of(path)] = "database";
      count(*target);
    }
    return {};
  }

  std::function<Result<std::vector<Source>>(Turn)> collect_;
  fs::path folder_, root_;
  const Clock& clock_;
  const TellProgress& tell_;
  std::uint64_t copied_ = 0;  // bytes
  TimePoint created_{};
  std::vector<std::pair<fs::path, Snapshot>> snapshots_;
  std::map<std::string, std::string> kinds_;
};

}  // namespace

Result<Created> create(const fs::path& site_file, const fs::path& target, const Key& key, const Clock& clock,
                       const TellProgress& tell) {
  const auto site = config::load_site(site_file);
  if (!site) return std::unexpected(site.error());
  const auto staging = Staging::make((site->folder / site->storage.folder).lexically_normal());
  if (!staging) return std::unexpected(staging.error());
  remove_unfinished(target, site->name);
  Copier copier(*site, site_file, staging->folder(), clock, tell);
  if (auto done = copier.run(); !done) return std::unexpected(done.error());

  Created created;
  created.manifest = {.created = format_rfc3339(copier.created()),
                      .version = RLTUNE_VERSION,
                      .name = site->name,
                      .site = copier.name_of(fs::absolute(site_file).lexically_normal()),
                      .parts = {}};
  for (const auto& [name, kind] : copier.kinds()) {
    const fs::path copy = staging->folder() / name;
    const auto hash = hash_file(copy);
    if (!hash) return std::unexpected(hash.error());
    created.manifest.parts.push_back({.name = name, .kind = kind, .size = fs::file_size(copy), .sha256 = *hash});
  }
  created.file = target / name_of(site->name, copier.created());
  if (auto done = pack(created.manifest, staging->folder(), key, created.file, tell); !done)
    return std::unexpected(done.error());
  std::error_code code;
  created.bytes = fs::file_size(created.file, code);
  return created;
}

Result<Agreement> check_site(const fs::path& site_file) {
  const auto site = config::load_site(site_file);
  if (!site) return std::unexpected(site.error());
  auto sources = Collector(*site, site_file).collect(Turn::content);
  if (!sources) return std::unexpected(sources.error());
  const fs::path root = common_root(*sources);
  Manifest manifest{.created = {},
                    .version = RLTUNE_VERSION,
                    .name = site->name,
                    .site = fs::absolute(site_file).lexically_normal().lexically_relative(root).generic_string(),
                    .parts = {}};
  for (const Source& source : *sources) {
    Part part{.name = source.path.lexically_relative(root).generic_string(),
              .kind = source.turn == Turn::database ? "database" : "file",
              .size = 0,
              .sha256 = {}};
    if (source.turn == Turn::content)
      if (auto hash = hash_file(source.path)) part.sha256 = *std::move(hash);
    manifest.parts.push_back(std::move(part));
  }
  Agreement found = examine_live(root, manifest);
  for (const fs::path& kept : put_aside_in(fs::absolute(site->folder / site->storage.folder).lexically_normal()))
    found.notes.push_back(std::format("{} was damaged and is kept", kept.lexically_relative(root).string()));
  return found;
}

Result<std::vector<fs::path>> list(const fs::path& folder, const std::string& name) {
  std::error_code code;
  std::vector<fs::path> files;
  for (auto entry = fs::directory_iterator(folder, code); !code && entry != fs::directory_iterator();
       entry.increment(code))
    if (is_backup(entry->path().filename().string(), name)) files.push_back(entry->path());
  if (code)
    return fail(Errc::not_found, std::format("{}: no backups can be read here: {}", folder.string(), code.message()));
  std::ranges::sort(files, {}, [](const fs::path& path) { return std::string(stamp_of(path.filename().string())); });
  return files;
}

Result<std::vector<fs::path>> rotate(const fs::path& folder, const std::string& name,
                                     const config::BackupRetention& rule) {
  auto files = list(folder, name);
  if (!files) return files;
  std::set<std::string> names;
  for (const fs::path& file : *files) names.insert(file.filename().string());
  const std::set<std::string> gone = superfluous(names, rule);
  std::erase_if(*files, [&](const fs::path& file) { return !gone.contains(file.filename().string()); });
  for (const fs::path& file : *files) {
    std::error_code code;
    fs::remove(file, code);
    if (code) return fail(Errc::io, std::format("cannot remove {}: {}", file.string(), code.message()));
  }
  return files;
}

}  // namespace rltune::backup
