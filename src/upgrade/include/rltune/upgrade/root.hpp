// The folder that upgrades keep: versions beside one another, which of them is current, and a note of what is under
// way. docs/formats/bundle.md. Each change is one rename: after a kill it has happened or it has not.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::upgrade {

struct NotedSite {
  std::filesystem::path site, run_folder;
  std::vector<std::string> healthy;  // roles, before anything was done
};

// What is under way. A command that finds one finishes it or undoes it before it does anything else.
struct Note {
  enum class Kind : std::uint8_t { apply, rollback };
  enum class Step : std::uint8_t {
    unpack,       // nothing but the new folder was touched
    switch_over,  // `current` and the sites go to `to`
    undo,         // ... and back to `from`
  };
  Kind kind = Kind::apply;
  Step step = Step::unpack;
  std::string from, to;  // versions; `from` is empty at the first one
  std::string begun;     // RFC 3339
  std::string why;       // of an undo
  std::vector<NotedSite> sites;
};
std::string to_string(Note::Kind kind);
std::string to_string(Note::Step step);
std::string encode(const Note& note);
Result<Note> decode_note(const std::string& json);

class Root {
 public:
  explicit Root(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Held as long as it lives; the kernel lets go of it when its holder dies. Errors: timeout (another command
  // works), io, denied.
  class Lock {
   public:
    explicit Lock(int file) noexcept : file_(file) {}
    ~Lock();
    Lock(Lock&& other) noexcept;
    Lock& operator=(Lock&&) = delete;

   private:
    int file_;
  };
  Result<Lock> lock() const;

  const std::filesystem::path& folder() const noexcept { return folder_; }
  std::filesystem::path version_folder(const std::string& version) const { return folder_ / "versions" / version; }
  std::filesystem::path unfinished_folder(const std::string& version) const {
    return folder_ / "versions" / (".unfinished-" + version);
  }
  // What the links name; empty where there is none.
  std::string current() const { return version_of("current"); }
  std::string previous() const { return version_of("previous"); }
  bool has(const std::string& version) const;
  std::vector<std::string> versions() const;
  // Public keys whose bundles are taken. Errors: those of a file in the folder keys.
  Result<std::vector<std::string>> keys() const;

  // An empty version removes the link.
  Result<> set_current(const std::string& version) const { return set("current", version); }
  Result<> set_previous(const std::string& version) const { return set("previous", version); }
  // The unfinished folder becomes the version's.
  Result<> place(const std::string& version) const;
  // Renamed first, so that half a version never looks like one.
  Result<> remove(const std::string& version) const;
  Result<> remove_unfinished() const;

  Result<std::optional<Note>> note() const;
  Result<> save(const Note& note) const;
  Result<> forget_note() const;

 private:
  std::string version_of(const char* link) const;
  Result<> set(const char* link, const std::string& version) const;

  std::filesystem::path folder_;
};

}  // namespace rltune::upgrade
