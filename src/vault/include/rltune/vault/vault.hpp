// Keeps who did what, and why, encrypted at rest, value by value, as the site's file asks for it:
// docs/formats/encrypted-values.md. What is encrypted, and against whom: docs/decisions/.
//
// Whoever writes such a text calls put(), whoever shows it calls show(): both work with the key, without it and where
// nothing is encrypted. Without the key nothing stops and nothing is written as plain text: what a person asks for is
// refused by allows(), and what must go on is put on record without its words.
//
// Threads: nothing changes after it was made; a copy is cheap.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"
#include "rltune/vault/key.hpp"

namespace rltune::vault {

// Where a value stands: it opens nowhere else.
struct Place {
  std::string_view table, column;
  std::string row;
};

// As the site's file says it.
struct Settings {
  bool encrypted = false;
  std::filesystem::path key_file;  // may be empty: the key comes from the environment or systemd
};

// What stands for a text that could not be encrypted.
inline constexpr const char* kWithheld = "withheld (the key is not there)";

class Vault {
 public:
  // Of a place where nothing is encrypted and no key is known.
  Vault() = default;
  // With the keys that are to be found now; the first of several encrypts, the others read. Never fails: what is wrong
  // is told by allows().
  static Vault from(const Settings& settings);
  // The same by a data folder's note.
  static Vault of(const std::filesystem::path& data);
  // Of the data folder that `folder` lies in.
  static Vault beside(const std::filesystem::path& folder);
  // With these keys. REQUIRES: at least one.
  static Vault with(const std::vector<Key>& keys);

  bool encrypts() const noexcept { return encrypts_; }
  // Whether words of a person can be put on record. Errors: not_found, with what to do.
  Result<> allows() const;
  // Of the key that encrypts; empty without one.
  std::string key_id() const;

  // What to store for a text: itself where nothing is encrypted, kWithheld without the key.
  std::string put(std::string_view text, const Place& place) const;
  // Errors: denied (the key is not there), corrupt (it is not what was written, or not here).
  Result<std::string> open(std::string_view stored, const Place& place) const;
  // The text, or why it cannot be read: "encrypted (key 0123456789abcdef)".
  std::string show(std::string_view stored, const Place& place) const;

 private:
  struct Named {
    std::string id;
    Key key;
  };
  Result<> take_keys(const std::filesystem::path& key_file);
  const Named* find(std::string_view id) const noexcept;

  bool encrypts_ = false;
  std::string trouble_;  // why there is no key
  std::shared_ptr<const std::vector<Named>> keys_;
};

// Writes the data folder's note, or takes it away, so that every process which knows the folder alone does the same.
// Roles call it before they write. Errors: io.
Result<> declare(const std::filesystem::path& data, const Settings& settings);

// Puts a new key before those of a file, which stay readable. Errors: those of the file; parse.
Result<> rotate(const std::filesystem::path& key_file);

}  // namespace rltune::vault
