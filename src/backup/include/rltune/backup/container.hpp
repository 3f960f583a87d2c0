// A backup file: parts in one compressed, encrypted, authenticated file. docs/formats/backup.md.
//
// Threads: everything belongs to its caller. Memory: a few MiB, whatever the parts' size.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::backup {

class Key {
 public:
  // From the environment, a systemd credential or `file` (may be empty). Errors: not_found, denied, parse.
  static Result<Key> find(const std::filesystem::path& file);
  // Writes a new one (0600). Errors: io; invalid_argument where the file exists.
  static Result<> make(const std::filesystem::path& file);
  // 64 hexadecimal digits. Errors: parse.
  static Result<Key> parse(const std::string& digits);
  ~Key();
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  Key(Key&& other) noexcept;
  Key& operator=(Key&&) = delete;

  const unsigned char* data() const noexcept { return bytes_.data(); }

 private:
  Key() = default;
  std::array<unsigned char, 32> bytes_{};
};

struct Part {
  std::string name;
  std::string kind;  // database, file
  std::uint64_t size = 0;
  std::string sha256;
};

struct Manifest {
  std::string created, version, name, site;
  std::vector<Part> parts;
};

// Durably; the parts lie under `folder` by their names, with size and hash as the manifest says.
// Errors: io, no_space; mismatch (a part is not what the manifest says). Nothing stays behind on failure.
Result<> pack(const Manifest& manifest, const std::filesystem::path& folder, const Key& key,
              const std::filesystem::path& file);

// Decrypts as much as the manifest takes. Errors: not_found, parse (no backup, another version), denied (another key),
// corrupt (says what is wrong).
Result<Manifest> read_manifest(const std::filesystem::path& file, const Key& key);

// Everything into `folder`, which is made, checked to the last byte. Errors: as above. On failure what was written is
// removed.
Result<Manifest> unpack(const std::filesystem::path& file, const Key& key, const std::filesystem::path& folder);

// The manifest as text and back. Errors: parse (unknown or missing fields; a name that leads out of the folder, or
// twice).
std::string to_text(const Manifest& manifest);
Result<Manifest> parse_manifest(const std::string& text);

// SHA-256 of a file of any size.
Result<std::string> hash_file(const std::filesystem::path& file);

}  // namespace rltune::backup
