// A backup file: parts in one compressed, encrypted, authenticated file. docs/formats/backup.md.
//
// Threads: everything belongs to its caller. Memory: a few MiB, whatever the parts' size.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "rltune/backup/progress.hpp"
#include "rltune/base/error.hpp"
#include "rltune/vault/key.hpp"

namespace rltune::backup {

using vault::Key;

// From the environment, a systemd credential or `file` (may be empty). Errors: not_found, denied, parse.
Result<Key> find_backup_key(const std::filesystem::path& file);

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
              const std::filesystem::path& file, const TellProgress& tell = {});

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
