#include <unistd.h>

#include <algorithm>
#include <format>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include "rltune/backup/backup.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/log.hpp"
#include "rltune/config/site.hpp"
#include "snapshot.hpp"

namespace rltune::backup {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStaging = "backup-staging";
// A learner takes decisions off the bus; io's writer commits them well within this.
constexpr auto kCheckpointAge = std::chrono::seconds(5);

// When a file is copied: docs/formats/backup.md says why in this order.
enum class Turn { checkpoint, pointer, database, content, audit_head, audit_line };

struct Source {
  Turn turn;
  fs::path path;
};

bool passes_by(const fs::path& relative) {
  const std::string name = relative.filename().string();
  for (const char* end : {"-wal", "-shm", "-journal", ".part", ".lock"})
    if (name.ends_with(end)) return true;
  return name == "lock";
}

Turn turn_of_data(const fs::path& relative) {
  const std::string first = relative.begin()->string(), extension = relative.extension().string();
  if (extension == ".db" || extension == ".sqlite") return Turn::database;
  if (first == "learner" && extension == ".checkpoint") return Turn::checkpoint;
  if (first == "audit") return relative.filename() == "heads.jsonl" ? Turn::audit_head : Turn::audit_line;
  if (extension == ".onnx") return Turn::content;
  return Turn::pointer;
}

// Of a git repository the objects are content; what points at them is not.
Turn turn_of_file(const fs::path& path) {
  return std::ranges::any_of(path, [](const auto& step) { return step == "objects"; }) ? Turn::content : Turn::pointer;
}

class Collector {
 public:
  explicit Collector(const config::Site& site, fs::path site_file)
      : site_(site),
        site_file_(fs::absolute(site_file).lexically_normal()),
        data_((site.folder / site.storage.folder).lexically_normal()) {}

  Result<std::vector<Source>> collect() {
    sources_.clear();
    add(Turn::pointer, site_file_);
    if (auto done = walk(data_, true); !done) return std::unexpected(done.error());
    for (const config::Agent& agent : site_.agents)
      if (auto done = walk((site_.folder / agent.policy).lexically_normal(), false); !done)
        return std::unexpected(done.error());
    for (const fs::path& own : {fs::path(site_.link.pki), fs::path(site_.link.password_file), fs::path("config"),
                                fs::path("config.git"), fs::path(".git")})
      if (!own.empty())
        if (auto done = walk((site_.folder / own).lexically_normal(), false); !done)
          return std::unexpected(done.error());
    std::ranges::stable_sort(sources_, {}, &Source::turn);
    return std::move(sources_);
  }

 private:
  void add(Turn turn, const fs::path& path) {
    if (known_.insert(path).second) sources_.push_back({turn, path});
  }

  // A file, or everything in a folder; nothing where it is not there.
  Result<> walk(const fs::path& root, bool data) {
    std::error_code code;
    if (!fs::exists(root, code)) return {};
    if (fs::is_regular_file(root, code)) {
      add(Turn::pointer, root);
      return {};
    }
    for (auto entry = fs::recursive_directory_iterator(root, code); entry != fs::recursive_directory_iterator();
         entry.increment(code)) {
      if (code) break;
      const fs::path relative = entry->path().lexically_relative(root);
      if (relative == kStaging || (!data && entry->path() == data_)) {
        entry.disable_recursion_pending();
        continue;
      }
      std::error_code gone;
      if (!entry->is_regular_file(gone) || entry->is_symlink(gone) || passes_by(relative)) continue;
      add(data ? turn_of_data(relative) : turn_of_file(entry->path()), entry->path());
    }
    // A file that went while we looked is none; a folder that cannot be read is.
    if (code && code != std::errc::no_such_file_or_directory)
      return fail(Errc::io, std::format("cannot list {}: {}", root.string(), code.message()));
    return {};
  }

  const config::Site& site_;
  fs::path site_file_, data_;
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

class Staging {
 public:
  static Result<Staging> make(const fs::path& data) {
    const fs::path folder = data / kStaging;
    std::error_code code;
    fs::remove_all(folder, code);  // of a run that was killed
    fs::create_directories(folder, code);
    fs::permissions(folder, fs::perms::owner_all, code);
    if (code) return fail(Errc::io, std::format("cannot create {}: {}", folder.string(), code.message()));
    return Staging(folder);
  }
  ~Staging() {
    std::error_code code;
    if (!folder_.empty()) fs::remove_all(folder_, code);
  }
  Staging(Staging&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}
  Staging& operator=(Staging&&) = delete;
  const fs::path& folder() const { return folder_; }

 private:
  explicit Staging(fs::path folder) : folder_(std::move(folder)) {}
  fs::path folder_;
};

class Copier {
 public:
  Copier(const config::Site& site, const fs::path& site_file, const fs::path& folder, const Clock& clock)
      : collect_([&site, site_file] { return Collector(site, site_file).collect(); }), folder_(folder), clock_(clock) {}

  Result<> run() {
    auto sources = collect_();
    if (!sources) return std::unexpected(sources.error());
    root_ = common_root(*sources);
    wait_for_checkpoints(*sources);
    // The list is made again for each turn: what came with an earlier one has to be in a later one.
    for (const Turn turn : {Turn::checkpoint, Turn::pointer})
      if (auto done = copy(turn); !done) return done;
    if (auto done = hold_databases(); !done) return done;
    for (const Turn turn : {Turn::content, Turn::audit_head, Turn::audit_line})
      if (auto done = copy(turn); !done) return done;
    return copy_databases();
  }

  TimePoint created() const { return created_; }
  std::string name_of(const fs::path& path) const { return path.lexically_relative(root_).generic_string(); }
  const std::map<std::string, std::string>& kinds() const { return kinds_; }

 private:
  void wait_for_checkpoints(const std::vector<Source>& sources) const {
    std::error_code code;
    fs::file_time_type newest = fs::file_time_type::min();
    for (const Source& source : sources)
      if (source.turn == Turn::checkpoint) newest = std::max(newest, fs::last_write_time(source.path, code));
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

  Result<> copy(Turn turn) {
    const auto sources = collect_();
    if (!sources) return std::unexpected(sources.error());
    for (const Source& source : *sources) {
      if (source.turn != turn) continue;
      const auto target = place(source.path);
      if (!target) return std::unexpected(target.error());
      const bool linked = turn == Turn::checkpoint || (turn == Turn::content && source.path.extension() == ".onnx");
      const bool lines = source.path.extension() == ".jsonl";
      auto done = linked ? link_file(source.path, *target) : copy_file(source.path, *target, lines);
      if (!done && done.error().code == Errc::not_found) continue;  // it went meanwhile
      if (!done) return done;
      kinds_[name_of(source.path)] = "file";
    }
    return {};
  }

  Result<> hold_databases() {
    const auto sources = collect_();
    if (!sources) return std::unexpected(sources.error());
    for (const Source& source : *sources) {
      if (source.turn != Turn::database) continue;
      auto snapshot = Snapshot::open(source.path);
      if (!snapshot && snapshot.error().code == Errc::not_found) continue;  // retention took it
      if (!snapshot) return std::unexpected(snapshot.error());
      snapshots_.emplace_back(source.path, std::move(*snapshot));
    }
    created_ = clock_.now();
    return {};
  }

  Result<> copy_databases() {
    for (const auto& [path, snapshot] : snapshots_) {
      const auto target = place(path);
      if (!target) return std::unexpected(target.error());
      if (auto done = snapshot.copy_to(*target); !done) return done;
      kinds_[name_of(path)] = "database";
    }
    return {};
  }

  std::function<Result<std::vector<Source>>()> collect_;
  fs::path folder_, root_;
  const Clock& clock_;
  TimePoint created_{};
  std::vector<std::pair<fs::path, Snapshot>> snapshots_;
  std::map<std::string, std::string> kinds_;
};

std::string safe_name(const std::string& name) {
  std::string safe;
  for (const char c : name) safe += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ? c : '_';
  return safe.empty() ? "site" : safe;
}

std::string stamp(TimePoint time) {
  std::string text = format_rfc3339(std::chrono::floor<std::chrono::seconds>(time));
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

constexpr std::string_view kEnding = ".rltune-backup";

}  // namespace

Result<Created> create(const fs::path& site_file, const fs::path& target, const Key& key, const Clock& clock) {
  const auto site = config::load_site(site_file);
  if (!site) return std::unexpected(site.error());
  const auto staging = Staging::make((site->folder / site->storage.folder).lexically_normal());
  if (!staging) return std::unexpected(staging.error());
  Copier copier(*site, site_file, staging->folder(), clock);
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
  created.file = target / std::format("{}-{}{}", safe_name(site->name), stamp(copier.created()), kEnding);
  if (auto done = pack(created.manifest, staging->folder(), key, created.file); !done)
    return std::unexpected(done.error());
  std::error_code code;
  created.bytes = fs::file_size(created.file, code);
  return created;
}

Result<std::vector<fs::path>> list(const fs::path& folder, const std::string& name) {
  std::error_code code;
  std::vector<fs::path> files;
  const std::string start = name.empty() ? "" : safe_name(name) + "-";
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    const std::string file = entry.path().filename().string();
    const std::size_t stamp_at = file.rfind('-', file.size() > kEnding.size() ? file.size() - kEnding.size() - 1 : 0);
    if (!file.ends_with(kEnding) || stamp_at == std::string::npos) continue;
    if (name.empty() || file.substr(0, stamp_at + 1) == start) files.push_back(entry.path());
  }
  if (code)
    return fail(Errc::not_found, std::format("{}: no backups can be read here: {}", folder.string(), code.message()));
  std::ranges::sort(files, {}, [](const fs::path& path) {
    const std::string file = path.filename().string();
    return file.substr(file.rfind('-', file.size() - kEnding.size() - 1));
  });
  return files;
}

Result<std::vector<fs::path>> keep_newest(const fs::path& folder, const std::string& name, std::size_t keep) {
  auto files = list(folder, name);
  if (!files) return files;
  files->resize(files->size() > keep ? files->size() - keep : 0);
  for (const fs::path& file : *files) {
    std::error_code code;
    fs::remove(file, code);
    if (code) return fail(Errc::io, std::format("cannot remove {}: {}", file.string(), code.message()));
  }
  return files;
}

}  // namespace rltune::backup
