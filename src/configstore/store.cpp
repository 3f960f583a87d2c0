#include "rltune/configstore/store.hpp"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <format>
#include <ranges>
#include <set>
#include <sstream>

#include "folder_lock.hpp"
#include "git.hpp"
#include "rltune/base/check.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/sha256.hpp"
#include "rltune/config/secret.hpp"

namespace rltune::configstore {
namespace {

constexpr const char* kBranch = "refs/heads/main";
constexpr const char* kRepository = "config.git";
constexpr std::size_t kReasonMax = 2000;
constexpr std::string_view kAbsent = "-";  // instead of a hash: the file was not there

std::filesystem::path repository_of(const std::filesystem::path& folder) { return folder / kRepository; }

bool is_file_name(std::string_view name) {
  const auto allowed = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.'; };
  return name.size() > 5 && name.size() < 100 && name.ends_with(".yaml") && name.front() != '.' &&
         std::ranges::all_of(name, allowed);
}

// "HEAD", "HEAD~3", or four hexadecimal digits and more: no other of git's ways to name a commit is needed.
bool is_version_name(std::string_view text) {
  if (text.starts_with("HEAD")) {
    text.remove_prefix(4);
    const bool back = text.size() > 1 && text.size() < 8 && text.front() == '~';
    return text.empty() ||
           (back && std::ranges::all_of(text.substr(1), [](unsigned char c) { return std::isdigit(c) != 0; }));
  }
  return text.size() >= 4 && text.size() <= 40 &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

Result<> check_entry(const Entry& entry) {
  const auto odd = [](unsigned char c) { return (c < 0x20 && c != '\n') || c == 0x7f; };
  const auto blank = [](unsigned char c) { return std::isspace(c) != 0; };
  if (std::ranges::all_of(entry.author, blank) || std::ranges::any_of(entry.author, odd) ||
      entry.author.find_first_of("<>\n") != std::string::npos)
    return fail(Errc::invalid_argument, "a change needs its author's name, without < and >");
  if (std::ranges::all_of(entry.reason, blank)) return fail(Errc::invalid_argument, "a change needs a reason");
  if (entry.reason.size() > kReasonMax || std::ranges::any_of(entry.reason, odd))
    return fail(Errc::invalid_argument, std::format("a reason is text of at most {} characters", kReasonMax));
  if (config::redact(entry.reason) != entry.reason)
    return fail(Errc::invalid_argument, "the reason holds a secret; versions are for everybody to read");
  return {};
}

std::string machine() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "localhost";
}

// What a killed writer leaves behind: our own partial files, libgit2's locks and unfinished objects. Only the holder of
// the folder's lock may call it.
void sweep(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name.starts_with(kRepository) || name.find(".yaml.") != std::string::npos;
    if (ours && name.ends_with(".part")) std::filesystem::remove_all(entry.path(), ignored);
  }
  std::vector<std::filesystem::path> left;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(repository_of(folder), ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".lock") || name.ends_with(".part") || name.starts_with("tmp_object"))
      left.push_back(entry.path());
  }
  for (const auto& path : left) std::filesystem::remove(path, ignored);
}

Result<> make_repository(const std::filesystem::path& folder) {
  const std::string partial = (folder / std::format("{}.{}.part", kRepository, ::getpid())).string();
  git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
  options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH | GIT_REPOSITORY_INIT_NO_REINIT;
  options.initial_head = "main";
  options.description = "The configuration of a site; written by rltune config\n";
  auto made = git::own<git::Repository>("cannot make " + partial, git_repository_init_ext, partial.c_str(), &options);
  if (!made) return std::unexpected(made.error());
  std::error_code code;
  std::filesystem::rename(partial, repository_of(folder), code);
  if (code) return fail(Errc::io, std::format("cannot make {}: {}", repository_of(folder).string(), code.message()));
  return {};
}

std::string hash_of(const std::filesystem::path& file) {
  const auto bytes = read_file(file);
  return bytes ? sha256(*bytes) : std::string(kAbsent);
}

// docs/formats/config-store.md
struct Pending {
  std::string commit;
  std::map<std::string, std::string> before;  // by file, the hash of what stood there
};

std::string to_text(const Pending& pending) {
  std::string text = std::format("commit {}\n", pending.commit);
  for (const auto& [name, hash] : pending.before) text += std::format("file {} {}\n", name, hash);
  return text;
}

Pending parse_pending(const std::string& text) {
  Pending pending;
  std::istringstream lines(text);
  std::string what, name, hash;
  while (lines >> what >> name) {
    if (what == "commit")
      pending.commit = name;
    else if (what == "file" && lines >> hash && is_file_name(name))
      pending.before[name] = hash;
  }
  return pending;
}

}  // namespace

struct Store::State {
  std::filesystem::path folder;
  git::Repository repository;

  std::filesystem::path pending_file() const { return repository_of(folder) / "pending"; }
  Result<git::Commit> commit_of(std::string_view version) const;
  Result<Files> files_of(const git_commit* commit) const;
  Result<Files> files_of(std::string_view version) const;
  Result<Version> version_of(const git_commit* commit) const;
  Result<> recover();
  Result<> put(const Files& files, const std::map<std::string, std::string>& before) const;
  Result<git_oid> write_tree(const Files& files) const;
  Result<git_oid> write_commit(const Files& files, const Entry& entry, const git_commit* parent) const;
  Result<> move_branch(const git_oid& to, const git_commit* from) const;
};

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

Result<Store> Store::open(const std::filesystem::path& folder) {
  git::start();
  const std::string path = repository_of(folder).string();
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return fail(Errc::not_found, std::format("{} has no versions yet; the first comes with: rltune config apply FILE "
                                             "--reason TEXT",
                                             folder.string()));
  if (auto sound = git::check_objects(path); !sound) return std::unexpected(sound.error());
  auto repository = git::own<git::Repository>("cannot open " + path, git_repository_open_bare, path.c_str());
  if (!repository) return std::unexpected(repository.error());
  auto state = std::make_unique<State>();
  state->folder = folder;
  state->repository = std::move(*repository);
  if (std::filesystem::exists(state->pending_file(), ignored)) {
    auto lock = FolderLock::take(folder, kPatience);
    if (!lock) return std::unexpected(lock.error());
    if (auto done = state->recover(); !done) return std::unexpected(done.error());
  }
  return Store(std::move(state));
}

Result<Store> Store::create(const std::filesystem::path& folder) {
  git::start();
  {
    auto lock = FolderLock::take(folder, kPatience);
    if (!lock) return std::unexpected(lock.error());
    std::error_code ignored;
    if (!std::filesystem::exists(repository_of(folder), ignored)) {
      sweep(folder);
      if (auto made = make_repository(folder); !made) return std::unexpected(made.error());
    }
  }
  return open(folder);
}

Result<std::string> Store::head() const {
  git_oid id;
  const int code = git_reference_name_to_id(&id, state_->repository.get(), kBranch);
  if (code == GIT_ENOTFOUND) return std::string();
  if (code != 0) return git::failed(code, "cannot read the newest version");
  return git::to_string(id);
}

Result<git::Commit> Store::State::commit_of(std::string_view version) const {
  const std::string name(version);
  const auto unknown = [&] {
    return fail(Errc::not_found,
                std::format("there is no version '{}'; 'rltune config history' lists them", name.substr(0, 60)));
  };
  if (!is_version_name(name)) return unknown();
  git_object* found = nullptr;
  const int code = git_revparse_single(&found, repository.get(), name.c_str());
  const git::Object object(found);
  if (code == GIT_ENOTFOUND || code == GIT_EAMBIGUOUS) return unknown();
  if (code != 0) return git::failed(code, std::format("cannot read version {}", name));
  auto commit = git::own<git::Object>(std::format("cannot read version {}", name),
                                      [&](git_object** out) { return git_object_peel(out, found, GIT_OBJECT_COMMIT); });
  if (!commit) return unknown();
  return git::Commit(reinterpret_cast<git_commit*>(commit->release()));
}

Result<Files> Store::State::files_of(const git_commit* commit) const {
  Files files;
  if (commit == nullptr) return files;
  const auto tree =
      git::own<git::Tree>("cannot read a version", [&](git_tree** out) { return git_commit_tree(out, commit); });
  if (!tree) return std::unexpected(tree.error());
  for (std::size_t i = 0; i < git_tree_entrycount(tree->get()); ++i) {
    const git_tree_entry* entry = git_tree_entry_byindex(tree->get(), i);
    const std::string name = git_tree_entry_name(entry);
    if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB || !is_file_name(name)) continue;
    const auto blob =
        git::own<git::Blob>("cannot read " + name, git_blob_lookup, repository.get(), git_tree_entry_id(entry));
    if (!blob) return std::unexpected(blob.error());
    files[name] = std::string(static_cast<const char*>(git_blob_rawcontent(blob->get())),
                              static_cast<std::size_t>(git_blob_rawsize(blob->get())));
  }
  return files;
}

Result<Files> Store::State::files_of(std::string_view version) const {
  if (version.empty()) return Files{};
  const auto commit = commit_of(version);
  if (!commit) return std::unexpected(commit.error());
  return files_of(commit->get());
}

Result<Version> Store::State::version_of(const git_commit* commit) const {
  Version version;
  version.id = git::to_string(*git_commit_id(commit));
  version.entry.author = git_commit_author(commit)->name;
  version.entry.reason = git_commit_message(commit);
  while (version.entry.reason.ends_with('\n')) version.entry.reason.pop_back();
  version.entry.time = TimePoint(std::chrono::seconds(git_commit_time(commit)));
  git_commit* parent_found = nullptr;
  git::Commit parent;
  if (git_commit_parentcount(commit) > 0) {
    if (const int code = git_commit_parent(&parent_found, commit, 0); code != 0)
      return git::failed(code, "cannot read the version before " + version.id);
    parent.reset(parent_found);
  }
  const auto now = files_of(commit), before = files_of(parent.get());
  if (!now) return std::unexpected(now.error());
  if (!before) return std::unexpected(before.error());
  std::set<std::string> changed;
  for (const auto& [name, text] : *now)
    if (const auto old = before->find(name); old == before->end() || old->second != text) changed.insert(name);
  for (const auto& [name, text] : *before)
    if (!now->contains(name)) changed.insert(name);
  version.files.assign(changed.begin(), changed.end());
  return version;
}

Result<Version> Store::find(std::string_view version) const {
  const auto commit = state_->commit_of(version);
  if (!commit) return std::unexpected(commit.error());
  return state_->version_of(commit->get());
}

Result<Files> Store::files(std::string_view version) const { return state_->files_of(version); }

Result<std::vector<Version>> Store::log(std::size_t most) const {
  const std::string what = "cannot read the versions";
  std::vector<Version> versions;
  const auto newest = head();
  if (!newest) return std::unexpected(newest.error());
  if (newest->empty()) return versions;
  const auto walk = git::own<git::Walk>(what, git_revwalk_new, state_->repository.get());
  if (!walk) return std::unexpected(walk.error());
  git_revwalk_sorting(walk->get(), GIT_SORT_TOPOLOGICAL);
  if (const int code = git_revwalk_push_ref(walk->get(), kBranch); code != 0) return git::failed(code, what);
  git_oid id;
  int code = 0;
  while (versions.size() < most && (code = git_revwalk_next(&id, walk->get())) == 0) {
    auto version = find(git::to_string(id));
    if (!version) return std::unexpected(version.error());
    versions.push_back(std::move(*version));
  }
  if (code != 0 && code != GIT_ITEROVER) return git::failed(code, what);
  return versions;
}

// A file that is neither what stood before nor what is to come was changed by a person since: it stays.
Result<> Store::State::put(const Files& files, const std::map<std::string, std::string>& before) const {
  for (const auto& [name, hash] : before) {
    const std::filesystem::path path = folder / name;
    if (hash_of(path) != hash) continue;
    const auto wanted = files.find(name);
    std::error_code code;
    if (wanted == files.end()) {
      std::filesystem::remove(path, code);
      if (code) return fail(Errc::io, std::format("cannot remove {}: {}", path.string(), code.message()));
    } else if (auto done = write_file(path, wanted->second); !done) {
      return done;
    }
  }
  return {};
}

// Once the branch has moved, the change was made, and its files follow; otherwise it never was.
Result<> Store::State::recover() {
  sweep(folder);
  std::error_code ignored;
  if (!std::filesystem::exists(pending_file(), ignored)) return {};
  const auto text = read_file(pending_file());
  if (!text) return std::unexpected(text.error());
  const Pending pending = parse_pending(*text);
  git_oid head;
  if (git_reference_name_to_id(&head, repository.get(), kBranch) == 0 && git::to_string(head) == pending.commit) {
    const auto files = files_of(pending.commit);
    if (!files) return std::unexpected(files.error());
    if (auto done = put(*files, pending.before); !done) return done;
  }
  std::filesystem::remove(pending_file(), ignored);
  return {};
}

Result<git_oid> Store::State::write_tree(const Files& files) const {
  const auto builder =
      git::own<git::TreeBuilder>("cannot make a version", git_treebuilder_new, repository.get(), nullptr);
  if (!builder) return std::unexpected(builder.error());
  git_oid id;
  for (const auto& [name, text] : files) {
    int code = git_blob_create_from_buffer(&id, repository.get(), text.data(), text.size());
    if (code == 0) code = git_treebuilder_insert(nullptr, builder->get(), name.c_str(), &id, GIT_FILEMODE_BLOB);
    if (code != 0) return git::failed(code, "cannot store " + name);
  }
  if (const int code = git_treebuilder_write(&id, builder->get()); code != 0)
    return git::failed(code, "cannot make a version");
  return id;
}

Result<git_oid> Store::State::write_commit(const Files& files, const Entry& entry, const git_commit* parent) const {
  const auto tree_id = write_tree(files);
  if (!tree_id) return std::unexpected(tree_id.error());
  if (parent != nullptr && git_oid_equal(&*tree_id, git_commit_tree_id(parent)) != 0)
    return fail(Errc::invalid_argument, "nothing changes: the newest version holds the same files");
  const auto tree = git::own<git::Tree>("cannot make a version", git_tree_lookup, repository.get(), &*tree_id);
  if (!tree) return std::unexpected(tree.error());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(entry.time).time_since_epoch().count();
  const auto author = git::own<git::Signature>("cannot name the author", git_signature_new, entry.author.c_str(),
                                               machine().c_str(), static_cast<git_time_t>(seconds), 0);
  if (!author) return std::unexpected(author.error());
  git_oid id;
  const git_commit* parents[] = {parent};
  const int code = git_commit_create(&id, repository.get(), nullptr, author->get(), author->get(), "UTF-8",
                                     (entry.reason + "\n").c_str(), tree->get(), parent == nullptr ? 0 : 1, parents);
  if (code != 0) return git::failed(code, "cannot make a version");
  return id;
}

Result<> Store::State::move_branch(const git_oid& to, const git_commit* from) const {
  git_reference* made = nullptr;
  const int code = from == nullptr ? git_reference_create(&made, repository.get(), kBranch, &to, 0, "update")
                                   : git_reference_create_matching(&made, repository.get(), kBranch, &to, 1,
                                                                   git_commit_id(from), "update");
  const git::Reference reference(made);
  if (code != 0) return git::failed(code, "cannot make the version the newest");
  return {};
}

Result<Version> Store::update(const Edits& edits, const Entry& entry, std::string_view base) {
  if (auto checked = check_entry(entry); !checked) return std::unexpected(checked.error());
  for (const auto& [name, text] : edits)
    if (!is_file_name(name))
      return fail(Errc::invalid_argument, std::format("'{}' cannot be the name of a configuration file", name));
  auto lock = FolderLock::take(state_->folder, kPatience);
  if (!lock) return std::unexpected(lock.error());
  if (auto done = state_->recover(); !done) return std::unexpected(done.error());

  const auto newest = head();
  if (!newest) return std::unexpected(newest.error());
  git::Commit parent;
  if (!newest->empty()) {
    auto found = state_->commit_of(*newest);
    if (!found) return std::unexpected(found.error());
    parent = std::move(*found);
  }
  auto files = state_->files_of(parent.get());
  const auto based_on = state_->files_of(base);
  if (!files) return std::unexpected(files.error());
  if (!based_on) return std::unexpected(based_on.error());

  Pending pending;
  for (const auto& [name, text] : edits) {
    const Files::const_iterator now = files->find(name), then = based_on->find(name);
    const bool moved =
        (now == files->end()) != (then == based_on->end()) || (now != files->end() && now->second != then->second);
    if (moved)
      return fail(Errc::mismatch, std::format("{} was changed meanwhile, in version {}; look at it and try again", name,
                                              newest->substr(0, 10)));
    pending.before[name] = hash_of(state_->folder / name);
    if (text)
      (*files)[name] = *text;
    else
      files->erase(name);
  }
  const auto id = state_->write_commit(*files, entry, parent.get());
  if (!id) return std::unexpected(id.error());
  pending.commit = git::to_string(*id);
  if (auto done = write_file(state_->pending_file(), to_text(pending)); !done) return std::unexpected(done.error());
  if (auto done = state_->move_branch(*id, parent.get()); !done) return std::unexpected(done.error());
  if (auto done = state_->recover(); !done) return std::unexpected(done.error());
  return find(pending.commit);
}

Result<std::string> unified_diff(const std::string& name, const std::string& was, const std::string& is) {
  git::start();
  const auto patch = git::own<git::Patch>("cannot compare", git_patch_from_buffers, was.data(), was.size(),
                                          name.c_str(), is.data(), is.size(), name.c_str(), nullptr);
  if (!patch) return std::unexpected(patch.error());
  git_buf text = GIT_BUF_INIT;
  if (was == is) return std::string();
  if (const int code = git_patch_to_buf(&text, patch->get()); code != 0) return git::failed(code, "cannot compare");
  std::string out(text.ptr, text.size);
  git_buf_dispose(&text);
  return out;
}

}  // namespace rltune::configstore
