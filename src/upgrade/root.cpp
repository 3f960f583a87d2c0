#include "rltune/upgrade/root.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <format>
#include <nlohmann/json.hpp>
#include <utility>

#include "rltune/audit/head.hpp"
#include "rltune/base/file.hpp"

namespace rltune::upgrade {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kSchema = "rltune/upgrade/v1";
constexpr const char* kNoteName = "upgrade.json";
constexpr const char* kUnfinished = ".unfinished-";

std::unexpected<Error> refused(const char* what, const fs::path& path) {
  const Errc code = errno == EACCES || errno == EPERM || errno == EROFS ? Errc::denied : Errc::io;
  return fail(code, std::format("{} {}: {}", what, path.string(), std::strerror(errno)));
}

Result<> sync(const fs::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = file >= 0 && ::fsync(file) == 0;
  const int code = errno;
  if (file >= 0) ::close(file);
  errno = code;
  if (!synced) return refused("cannot sync", folder);
  return {};
}

Result<> move(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return refused("cannot rename to", to);
  return sync(to.parent_path());
}

Result<> erase(const fs::path& path) {
  std::error_code code;
  fs::remove_all(path, code);
  if (code) return fail(Errc::io, std::format("cannot remove {}: {}", path.string(), code.message()));
  return {};
}

}  // namespace

std::string to_string(Note::Kind kind) { return kind == Note::Kind::apply ? "apply" : "rollback"; }

std::string to_string(Note::Step step) {
  switch (step) {
    case Note::Step::unpack:
      return "unpack";
    case Note::Step::switch_over:
      return "switch";
    case Note::Step::undo:
      return "undo";
  }
  return "unknown";
}

std::string encode(const Note& note) {
  ordered_json json{{"schema", kSchema},
                    {"kind", to_string(note.kind)},
                    {"step", to_string(note.step)},
                    {"from", note.from},
                    {"to", note.to},
                    {"begun", note.begun},
                    {"why", note.why},
                    {"sites", ordered_json::array()}};
  for (const NotedSite& site : note.sites)
    json["sites"].push_back(
        {{"site", site.site.string()}, {"run_folder", site.run_folder.string()}, {"healthy", site.healthy}});
  return json.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<Note> decode_note(const std::string& text) {
  const auto wrong = [] {
    return fail(Errc::corrupt, "upgrade.json is damaged; see which version `current` names, and remove the file");
  };
  const ordered_json json = ordered_json::parse(text, nullptr, false);
  if (!json.is_object() || json.value("schema", ordered_json()) != kSchema) return wrong();
  try {
    Note note{.from = json.at("from"), .to = json.at("to"), .begun = json.at("begun"), .why = json.at("why")};
    const std::string kind = json.at("kind"), step = json.at("step");
    const auto kinds = {Note::Kind::apply, Note::Kind::rollback};
    const auto steps = {Note::Step::unpack, Note::Step::switch_over, Note::Step::undo};
    const auto found_kind = std::ranges::find(kinds, kind, [](Note::Kind k) { return to_string(k); });
    const auto found_step = std::ranges::find(steps, step, [](Note::Step s) { return to_string(s); });
    if (found_kind == kinds.end() || found_step == steps.end()) return wrong();
    note.kind = *found_kind;
    note.step = *found_step;
    for (const ordered_json& site : json.at("sites"))
      note.sites.push_back({site.at("site").get<std::string>(), site.at("run_folder").get<std::string>(),
                            site.at("healthy").get<std::vector<std::string>>()});
    return note;
  } catch (const ordered_json::exception&) {
    return wrong();
  }
}

Root::Lock::~Lock() {
  if (file_ >= 0) ::close(file_);
}

Root::Lock::Lock(Lock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

Result<Root::Lock> Root::lock() const {
  std::error_code code;
  fs::create_directories(folder_ / "versions", code);
  const fs::path path = folder_ / ".lock";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return refused("cannot work in", folder_);
  Lock held(file);
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) return held;
  if (errno == EWOULDBLOCK)
    return fail(Errc::timeout, std::format("another upgrade works in {}; wait for its end", folder_.string()));
  return refused("cannot lock", path);
}

bool Root::has(const std::string& version) const {
  std::error_code code;
  return !version.empty() && fs::exists(version_folder(version) / "bin" / "rltune-up", code);
}

std::vector<std::string> Root::versions() const {
  std::vector<std::string> found;
  std::error_code code;
  for (fs::directory_iterator entry(folder_ / "versions", code), last; !code && entry != last; entry.increment(code))
    if (!entry->path().filename().string().starts_with('.')) found.push_back(entry->path().filename().string());
  std::ranges::sort(found);
  return found;
}

Result<std::vector<std::string>> Root::keys() const {
  std::vector<std::string> keys;
  std::error_code code;
  for (fs::directory_iterator entry(folder_ / "keys", code), last; !code && entry != last; entry.increment(code)) {
    if (entry->path().extension() != ".pub") continue;
    auto key = audit::read_public_key(entry->path());
    if (!key) return std::unexpected(key.error());
    keys.push_back(*key);
  }
  return keys;
}

std::string Root::version_of(const char* link) const {
  std::error_code code;
  const fs::path target = fs::read_symlink(folder_ / link, code);
  return code ? "" : target.filename().string();
}

Result<> Root::set(const char* link, const std::string& version) const {
  const fs::path path = folder_ / link, next = folder_ / (std::string(".") + link + ".next");
  if (version.empty()) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return refused("cannot remove", path);
    return sync(folder_);
  }
  ::unlink(next.c_str());
  if (::symlink((fs::path("versions") / version).c_str(), next.c_str()) != 0) return refused("cannot make", next);
  return move(next, path);
}

Result<> Root::place(const std::string& version) const {
  return move(unfinished_folder(version), version_folder(version));
}

Result<> Root::remove(const std::string& version) const {
  if (auto moved = move(version_folder(version), unfinished_folder(version)); !moved) return moved;
  return erase(unfinished_folder(version));
}

Result<> Root::remove_unfinished() const {
  std::vector<fs::path> found;
  std::error_code code;
  for (fs::directory_iterator entry(folder_ / "versions", code), last; !code && entry != last; entry.increment(code))
    if (entry->path().filename().string().starts_with(kUnfinished)) found.push_back(entry->path());
  for (const fs::path& path : found)
    if (auto erased = erase(path); !erased) return erased;
  return {};
}

Result<std::optional<Note>> Root::note() const {
  auto text = read_file(folder_ / kNoteName);
  if (!text && text.error().code == Errc::not_found) return std::nullopt;
  if (!text) return std::unexpected(text.error());
  auto note = decode_note(*text);
  if (!note) return std::unexpected(note.error());
  return std::move(*note);
}

Result<> Root::save(const Note& note) const { return write_file(folder_ / kNoteName, encode(note)); }

Result<> Root::forget_note() const {
  const fs::path path = folder_ / kNoteName;
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return refused("cannot remove", path);
  return sync(folder_);
}

}  // namespace rltune::upgrade
