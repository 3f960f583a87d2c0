#include <unistd.h>

#include <format>
#include <map>
#include <set>

#include "examine.hpp"
#include "rltune/audit/verify.hpp"
#include "rltune/backup/backup.hpp"
#include "rltune/base/archive.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/sha256.hpp"
#include "rltune/config/site.hpp"
#include "rltune/configstore/store.hpp"
#include "rltune/historian/decision_log.hpp"
#include "rltune/sqlite/sqlite.hpp"
#include "snapshot.hpp"
#include "staging.hpp"

namespace rltune::backup {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPage = 1000;
constexpr int kReadsMax = 5;
constexpr const char* kCheckpointFormat = "rltune/online-learner/v2";

class Examiner {
 public:
  // `live`: the site may run on meanwhile. What goes after it was listed is not missed, what came since counts, and
  // checkpoints may know what is not committed yet.
  Examiner(const fs::path& folder, const Manifest& manifest, bool live)
      : folder_(folder), manifest_(manifest), live_(live) {}

  Agreement run() {
    const auto site = config::load_site(folder_ / manifest_.site);
    if (!site) {
      fault(site.error().message);
      return std::move(found_);
    }
    data_ = (site->folder / site->storage.folder).lexically_normal();
    configuration(site->folder);
    databases();
    policies();
    registry();
    decisions();
    acting_weights();
    checkpoints();
    audit_log();
    return std::move(found_);
  }

 private:
  void fault(std::string what) { found_.faults.push_back(std::move(what)); }

  // A file changed without rltune config is a person's right, and worth a word.
  void configuration(const fs::path& folder) {
    const auto store = configstore::Store::open(folder);
    if (!store && store.error().code == Errc::not_found) return;
    const auto head = store ? store->head() : std::unexpected(store.error());
    if (!head) return fault("configuration history: " + head.error().message);
    if (head->empty()) return;
    found_.configuration = *head;
    const auto files = store->files(*head);
    if (!files) return fault("configuration history: " + files.error().message);
    for (const auto& [name, text] : *files) {
      const auto now = read_file(folder / name);
      const std::string version = std::format("version {} of the configuration", head->substr(0, 10));
      if (!now)
        found_.notes.push_back(std::format("{} is in {} and not in the folder", name, version));
      else if (*now != text)
        found_.notes.push_back(std::format("{} differs from {}: it was changed without rltune config", name, version));
    }
  }

  void databases() {
    for (const Part& part : manifest_.parts) {
      if (part.kind != "database") continue;
      ++found_.databases;
      database(part.name);
    }
  }

  // As the site's own readers open it: they wait while a writer opens or closes it.
  void database(const std::string& name) {
    const fs::path file = folder_ / name;
    const auto found = sqlite::guarded(
        file, [&] { return sqlite::damage_of(*sqlite::open_reader(file), sqlite::Scrutiny::thorough); });
    std::error_code ignored;
    if (!live_)  // a copy is to have no log beside it
      for (const char* suffix : {"-wal", "-shm"}) fs::remove(file.string() + suffix, ignored);
    if (gone(name) || (found && found->empty())) return;
    fault(std::format("database {}: {}", name, found ? *found : found.error().message));
  }

  // By content: the name is the hash.
  void policies() {
    for (const Part& part : manifest_.parts) {
      const fs::path name(part.name);
      if (name.extension() != ".onnx" || gone(part.name)) continue;
      ++found_.policies;
      weights_.insert(part.sha256);
      if (name.parent_path().filename() == "policies" && name.stem().string() != part.sha256)
        fault(std::format("weights {}: damaged, the hash is not the name", part.name));
    }
  }

  // docs/formats/registry.md: every version's artifact is there, whole; each agent has one active version.
  void registry() {
    const fs::path file = data_ / "registry.db";
    if (!fs::exists(file)) return;
    const auto read = sqlite::guarded(file, [&] {
      const auto database = sqlite::open_reader(file);
      SQLite::Statement active(
          *database, "SELECT id, (SELECT count(*) FROM versions WHERE agent = id AND state = 'active') FROM agents");
      while (active.executeStep())
        if (const int count = active.getColumn(1).getInt(); count != 1)
          fault(std::format("registry: agent {} has {} active versions", active.getColumn(0).getString(), count));
      SQLite::Statement versions(*database, "SELECT agent, version, artifact, state FROM versions");
      while (versions.executeStep()) {
        ++found_.versions;
        const std::string artifact = versions.getColumn(2).getString();
        if (artifact.empty() || hash_of_artifact(data_ / "artifacts" / artifact) == artifact) continue;
        // What was rolled back never acts again.
        (versions.getColumn(3).getString() == "rolled_back" ? found_.notes : found_.faults)
            .push_back(std::format("registry: the artifact of version {} of agent {} is not there or not whole",
                                   versions.getColumn(1).getString(), versions.getColumn(0).getString()));
      }
    });
    if (!read) fault(read.error().message);
  }

  // As it is now: a version may have come since the files were listed.
  static std::string hash_of_artifact(const fs::path& folder) {
    std::map<std::string, std::string> files;
    std::error_code code;
    for (auto entry = fs::directory_iterator(folder, code); !code && entry != fs::directory_iterator();
         entry.increment(code))
      files[entry->path().filename().string()] = hash_file(entry->path()).value_or("");
    std::string list;
    for (const auto& [name, sha] : files) list += std::format("{} {}\n", sha, name);
    return sha256(list);
  }

  // Retention may remove what is being read: then it begins again.
  void decisions() {
    if (!fs::exists(data_ / "decisions")) return;
    for (int attempt = 1;; ++attempt) {
      found_.decisions = 0;
      newest_.clear();
      const Result<> read = read_decisions();
      if (read) return;
      if (live_ && attempt < kReadsMax && read.error().code != Errc::corrupt) continue;
      return fault(read.error().message);
    }
  }

  Result<> read_decisions() {
    std::string after;
    TimePoint from = TimePoint::min();
    std::map<std::string, std::uint64_t> missing;
    while (true) {
      const auto page = historian::read_decisions(data_ / "decisions", from, TimePoint::max(), kPage, after);
      if (!page) return std::unexpected(page.error());
      for (const historian::Decision& decision : *page) {
        TimePoint& newest = newest_.try_emplace(decision.agent).first->second;
        newest = std::max(newest, decision.time);
        if (!decision.policy_sha256.empty() && !has_weights(decision.policy_sha256)) ++missing[decision.policy_sha256];
      }
      found_.decisions += page->size();
      if (page->size() < kPage) break;
      after = page->back().id;
      from = page->back().time;
    }
    for (const auto& [sha, count] : missing) {
      const bool known = fs::exists(data_ / "policies" / (sha + ".lost"));  // the site has lost them, and said so
      (known ? found_.notes : found_.faults)
          .push_back(std::format("{} decisions were made by weights {}, which {}", count, sha,
                                 known ? "were damaged: they cannot be replayed" : "are not there"));
    }
    return {};
  }

  void acting_weights() {
    for (const Part& part : manifest_.parts) {
      if (!part.name.ends_with(".active")) continue;
      const auto text = read_file(folder_ / part.name);
      const std::size_t space = text ? text->find(' ') : std::string::npos;
      if (space == std::string::npos)
        fault(std::format("{} cannot be read", part.name));
      else if (!has_weights(text->substr(space + 1)))
        fault(std::format("{} names weights {}, which are not there", part.name, text->substr(space + 1)));
    }
  }

  // docs/formats/checkpoint.md: sealed, of weights that are there, and what it has learnt from is in the decision log.
  void checkpoints() {
    for (const Part& part : manifest_.parts) {
      if (!part.name.ends_with(".checkpoint")) continue;
      ++found_.checkpoints;
      auto archive = Archive::read(folder_ / part.name, kCheckpointFormat);
      if (!archive && archive.error().code == Errc::mismatch)
        found_.notes.push_back(std::format("checkpoint {}: {}", part.name, archive.error().message));
      else if (!archive && archive.error().code == Errc::not_found && gone(part.name))
        --found_.checkpoints;
      else if (!archive)
        fault(std::format("checkpoint {}: {}", part.name, archive.error().message));
      else
        checkpoint(part.name, *archive);
    }
  }

  void checkpoint(const std::string& name, Archive& archive) {
    std::string artifact;
    std::uint64_t transitions = 0, updates = 0, offered_at = 0;
    std::int64_t time_ns = 0;
    archive.text(artifact);
    for (std::uint64_t* number : {&transitions, &updates, &offered_at}) archive.value(*number);
    archive.value(time_ns);
    if (!archive.result()) return fault(std::format("checkpoint {}: it ends early", name));
    if (!has_weights(artifact))
      fault(std::format("checkpoint {} continues weights {}, which are not there", name, artifact));
    const auto newest = newest_.find(agent_of(fs::path(name).parent_path().filename().string()));
    const TimePoint time{Duration(time_ns)};
    if (!live_ && transitions > 0 && (newest == newest_.end() || newest->second < time))
      fault(std::format("checkpoint {} has learnt from decisions up to {}, and the decision log ends before", name,
                        format_rfc3339(time)));
  }

  bool has_weights(const std::string& sha) const {
    return weights_.contains(sha) || hash_file(data_ / "policies" / (sha + ".onnx")).value_or("") == sha;
  }

  // Of an instance: "climate@1.2.0" is climate's.
  static std::string agent_of(const std::string& instance) { return instance.substr(0, instance.find('@')); }

  bool gone(const std::string& name) const { return live_ && !fs::exists(folder_ / name); }

  void audit_log() {
    if (!fs::exists(data_ / "audit")) return;
    const auto reports = audit::verify(data_ / "audit", {}, {});
    if (!reports) return fault(reports.error().message);
    for (const audit::RoleReport& report : *reports) {
      found_.audit_lines += report.lines;
      for (const audit::Fault& one : report.faults)
        fault(std::format("audit log {}:{}: {}: {}", one.file, one.line, one.kind, one.what));
    }
  }

  const fs::path& folder_;
  const Manifest& manifest_;
  const bool live_;
  fs::path data_;
  std::set<std::string> weights_;
  std::map<std::string, TimePoint> newest_;  // decision of each agent, on the site's clock
  Agreement found_;
};

std::string in_lines(const std::vector<std::string>& faults) {
  std::string text;
  for (const std::string& one : faults) text += "\n  " + one;
  return text;
}

// Beside where it will be, so that one rename puts it there.
fs::path beside(const fs::path& folder) { return folder.string() + std::format(".{}.part", ::getpid()); }

}  // namespace

Agreement examine(const fs::path& folder, const Manifest& manifest) { return Examiner(folder, manifest, false).run(); }

Agreement examine_live(const fs::path& folder, const Manifest& manifest) {
  return Examiner(folder, manifest, true).run();
}

Result<Restored> restore(const fs::path& file, const Key& key, const fs::path& wanted, bool anyway) {
  fs::path folder = fs::absolute(wanted).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  std::error_code code;
  if (fs::exists(folder, code) && (!fs::is_directory(folder, code) || !fs::is_empty(folder, code)))
    return fail(Errc::invalid_argument, std::format("{} is not an empty folder; nothing was changed", folder.string()));
  const fs::path partial = beside(folder);
  auto restored = verify(file, key, partial);
  if (!restored) return restored;
  if (!restored->agreement.faults.empty() && !anyway) {
    fs::remove_all(partial, code);
    return fail(Errc::mismatch, std::format("{}: its parts do not agree; nothing was restored:{}", file.string(),
                                            in_lines(restored->agreement.faults)));
  }
  fs::rename(partial, folder, code);
  if (code) {
    const std::string why = code.message();
    fs::remove_all(partial, code);
    return fail(Errc::io, std::format("cannot rename to {}: {}", folder.string(), why));
  }
  restored->site = folder / restored->manifest.site;
  return restored;
}

Result<Restored> verify(const fs::path& file, const Key& key, const fs::path& scratch) {
  auto manifest = unpack(file, key, scratch);
  if (!manifest) return std::unexpected(manifest.error());
  Restored restored{.manifest = std::move(*manifest), .agreement = {}, .site = {}};
  restored.agreement = examine(scratch, restored.manifest);
  return restored;
}

Result<Restored> verify_beside(const fs::path& site_file, const fs::path& file, const Key& key) {
  const auto site = config::load_site(site_file);
  if (!site) return std::unexpected(site.error());
  const auto staging = Staging::make((site->folder / site->storage.folder).lexically_normal());
  if (!staging) return std::unexpected(staging.error());
  return verify(file, key, staging->folder() / "content");
}

}  // namespace rltune::backup
