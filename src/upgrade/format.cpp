#include "rltune/upgrade/format.hpp"

#include <algorithm>
#include <charconv>
#include <format>
#include <set>
#include <sstream>

#include "rltune/config/document.hpp"
#include "rltune/config/site.hpp"
#include "rltune/historian/decision_log.hpp"
#include "rltune/historian/historian.hpp"
#include "rltune/sqlite/sqlite.hpp"

namespace rltune::upgrade {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDecisionLog = "decision-log";
constexpr const char* kHistorian = "historian";
constexpr const char* kRegistry = "registry";

const Format* find(std::span<const Format> formats, std::string_view name) {
  const auto found = std::ranges::find(formats, name, &Format::name);
  return found == formats.end() ? nullptr : &*found;
}

// The version in "schema: rltune/site/v2", also where it is a later one than we know.
int schema_version(const std::string& yaml, std::string_view kind) {
  std::istringstream lines(yaml);
  const std::string mark = std::format("rltune/{}/v", kind);
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.starts_with("schema:") ? line.find(mark) : std::string::npos;
    if (at == std::string::npos) continue;
    int version = 0;
    std::from_chars(line.data() + at + mark.size(), line.data() + line.size(), version);
    return version;
  }
  return 1;
}

// Where a site keeps its data; by its file, or by the default where this version cannot read that.
fs::path data_folder(const fs::path& site_file) {
  const auto site = config::load_site(site_file);
  return site ? site->folder / site->storage.folder : site_file.parent_path() / config::Storage().folder;
}

const char* format_of_file(const std::string& name) {
  if (!name.ends_with(".db")) return nullptr;
  if (name.starts_with("decisions-")) return kDecisionLog;
  if (name.starts_with("raw-") || name == "rollups.db") return kHistorian;
  return name == "registry.db" ? kRegistry : nullptr;
}

class Finder {
 public:
  void found(const std::string& name, int version, const fs::path& file) {
    if (known_.insert({name, version}).second) all_.push_back({name, version, file});
  }
  Result<> database(const char* name, const fs::path& file) {
    auto version = sqlite::guarded(file, [&] { return sqlite::format_of(*sqlite::open_reader(file)); });
    if (!version) return std::unexpected(version.error());
    found(name, std::max(*version, 1), file);  // 0: from before files said it
    return {};
  }
  std::vector<Present> all() { return std::move(all_); }

 private:
  std::set<std::pair<std::string, int>> known_;
  std::vector<Present> all_;
};

}  // namespace

std::vector<Format> own_formats() {
  std::vector<Format> formats;
  for (const config::Kind kind : config::kinds())
    formats.push_back({std::string(config::to_string(kind)), 1, config::newest_version(kind), 0});
  formats.push_back({kDecisionLog, 1, historian::kDecisionLogFormat, historian::kDecisionLogFormat});
  formats.push_back({kHistorian, 1, historian::kHistorianFormat, historian::kHistorianFormat});
  formats.push_back({kRegistry, 1, 1, 1});
  formats.push_back({"audit-log", 1, 1, 1});
  return formats;
}

Result<std::vector<Present>> formats_of_site(const fs::path& site_file) {
  Finder finder;
  for (const config::Kind kind : config::kinds()) {
    const bool site = kind == config::Kind::site;
    const fs::path file = site ? site_file : site_file.parent_path() / config::file_name(kind);
    std::error_code code;
    if (!site && !fs::exists(file, code)) continue;
    const auto text = config::load_text(file);
    if (!text) return std::unexpected(text.error());
    finder.found(std::string(config::to_string(kind)), schema_version(*text, config::to_string(kind)), file);
  }
  std::error_code code;
  for (fs::recursive_directory_iterator entry(data_folder(site_file), code), last; !code && entry != last;
       entry.increment(code)) {
    const char* name = format_of_file(entry->path().filename().string());
    if (name == nullptr || !entry->is_regular_file()) continue;
    // Retention removes files of a running site; one that is gone by now has no format.
    if (auto read = finder.database(name, entry->path()); !read && fs::exists(entry->path()))
      return std::unexpected(read.error());
  }
  return finder.all();
}

Result<> can_read(std::span<const Format> formats, const std::string& version, std::span<const Present> present) {
  for (const Present& data : present) {
    const Format* known = find(formats, data.name);
    if (known == nullptr)
      return fail(Errc::unsupported, std::format("{} does not know data of the kind '{}', as in {}", version, data.name,
                                                 data.file.string()));
    if (data.version < known->reads_from || data.version > known->reads_to)
      return fail(
          Errc::unsupported,
          std::format("{} is {} of format {}, and {} reads {} to {}: bring the data back from a backup of that "
                      "time, or for a configuration: rltune config migrate",
                      data.file.string(), data.name, data.version, version, known->reads_from, known->reads_to));
  }
  return {};
}

Result<> has_way_back(std::span<const Format> next, const std::string& next_version, std::span<const Format> now,
                      const std::string& now_version) {
  for (const Format& format : next) {
    const Format* known = find(now, format.name);
    if (format.writes == 0 ||
        (known != nullptr && format.writes >= known->reads_from && format.writes <= known->reads_to))
      continue;
    return fail(Errc::unsupported,
                std::format("{} writes {} of format {}, which {} does not read: there would be no way back. Take a "
                            "backup, then say --one-way",
                            next_version, format.name, format.writes, now_version));
  }
  return {};
}

}  // namespace rltune::upgrade
