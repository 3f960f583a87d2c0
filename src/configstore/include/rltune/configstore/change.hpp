// One file as a change of a site's configuration: checked, compared with what is there, then applied as a version.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "rltune/config/change.hpp"
#include "rltune/configstore/store.hpp"

namespace rltune::configstore {

struct Plan {
  config::Schema schema;
  std::string name;  // in the folder: "site.yaml"
  std::string text;
  std::string base;                     // the newest version, empty for none
  bool first = false;                   // no version holds such a file yet
  bool same = false;                    // byte for byte what the newest version holds
  std::vector<config::Change> changes;  // none where only comments or order differ
  // What lies in the folder and no version holds: somebody changed it without us. Good, it becomes a version of its
  // own before the change; not good, it is kept beside the file, as NAME.replaced.
  std::optional<std::string> found;
  bool found_is_good = false;
};

// Writes nothing. Errors: invalid_argument with every fault of the file, corrupt, io.
Result<Plan> plan_change(const std::filesystem::path& folder, const std::filesystem::path& file);
// The same of a text. `name`: of the file it came from, in errors; `in_place`: it is the one that lies in the folder.
Result<Plan> plan_text(const std::filesystem::path& folder, std::string text, const std::string& name, bool in_place);

// Errors: as Store::update().
Result<Version> apply_change(const std::filesystem::path& folder, const Plan& plan, const Entry& entry);

// The files of an older version again, as a new one. Errors: not_found; invalid_argument where one of them is not good
// by today's checks, or nothing would change.
Result<Version> restore(const std::filesystem::path& folder, const std::string& version, const Entry& entry);

}  // namespace rltune::configstore
