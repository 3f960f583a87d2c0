// The versions of a site's configuration: a bare git repository, `config.git` in the site's folder, with one branch.
//
// Atomic: after a kill at any point, and in the eyes of any reader, branch and files are at one version. Threads and
// processes: one writer at a time, by a lock on the folder; readers need none.
// A version is named by its id, by the first letters of it, or as HEAD, HEAD~1, ...
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::configstore {

struct Entry {
  std::string author;
  std::string reason;
  TimePoint time{};
};

struct Version {
  std::string id;  // 40 hexadecimal digits
  Entry entry;
  std::vector<std::string> files;  // that it changed
};

// A file's name in the folder, "site.yaml", and what it holds. No value: the file is not to be there.
using Files = std::map<std::string, std::string>;
using Edits = std::map<std::string, std::optional<std::string>>;

class Store {
 public:
  // Finishes or forgets what a kill interrupted. Errors: not_found where nothing was recorded yet, corrupt, timeout.
  static Result<Store> open(const std::filesystem::path& folder);
  // As open(), and makes the repository where there is none.
  static Result<Store> create(const std::filesystem::path& folder);
  ~Store();
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;

  // Empty before the first version.
  Result<std::string> head() const;
  // Errors: not_found, saying how to list what there is.
  Result<Version> find(std::string_view version) const;
  Result<Files> files(std::string_view version) const;
  // Newest first, at most `most`.
  Result<std::vector<Version>> log(std::size_t most) const;

  // A new version and its files in the folder. `base`: the version that the edits were made for; where it is no
  // longer the newest and a later one changed one of the files, the answer is mismatch and nothing changes.
  // Errors: invalid_argument (no author or reason, an odd name, nothing that changes), timeout (another writer).
  Result<Version> update(const Edits& edits, const Entry& entry, std::string_view base);

  static constexpr std::chrono::seconds kPatience{10};  // for another writer

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The differences of two texts, as `diff -u` writes them; empty where there are none.
Result<std::string> unified_diff(const std::string& name, const std::string& was, const std::string& is);

}  // namespace rltune::configstore
