// The kinds of configuration file, their versions, and what can be done with any of them: check, describe, migrate.
// The first field of each file names its kind and version: `schema: rltune/site/v2`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/base/error.hpp"

namespace rltune::config {

enum class Kind : std::uint8_t { site, users, retention, alerts, telemetry };

struct Schema {
  Kind kind = Kind::site;
  int version = 1;
  bool operator==(const Schema&) const = default;
};

std::span<const Kind> kinds() noexcept;
std::string_view to_string(Kind kind) noexcept;
// "site", "users", ... Errors: invalid_argument, listing them.
Result<Kind> parse_kind(std::string_view word);
int newest_version(Kind kind) noexcept;
// "rltune/site/v2"
std::string to_string(Schema schema);
// The name that a file of this kind has in a site's folder: "site.yaml".
std::string file_name(Kind kind);

// What is wrong with a file, and where. `field` is empty for the document itself.
struct Fault {
  int line = 1;
  std::string field;
  std::string message;
};

// "site.yaml:12: tags[3].role: 'sensor' is not one of ...", a line each; at most a hundred.
std::string to_text(const std::string& name, const std::vector<Fault>& faults);

struct Checked {
  Schema schema;              // of no meaning where the file does not say
  std::vector<Fault> faults;  // in the order of their lines; empty: the file is good
};

// Strict: unknown fields, wrong types, values out of range, references to what does not exist, secrets. Files of
// every version are taken.
Checked check(const std::string& yaml);

// A file of a size that people write. Errors: io (a folder, a device, too large), not_found.
Result<std::string> load_text(const std::filesystem::path& file);

// JSON Schema (draft 2020-12), for editors. REQUIRES: the version exists.
std::string json_schema(Schema schema);

// docs/config.md: every field of every kind, in its newest version.
std::string reference_page();

// The same configuration as a file of another version; comments and order stay. A later version takes everything
// over. Errors: invalid_argument with line and field, where an earlier version has no place for something.
Result<std::string> migrate(const std::string& yaml, const std::string& name_in_errors, int version);

}  // namespace rltune::config
