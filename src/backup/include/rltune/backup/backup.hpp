// Backups of a site while it runs: one point in time that fits together, and back again. docs/formats/backup.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/backup/container.hpp"
#include "rltune/backup/progress.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/error.hpp"
#include "rltune/config/retention.hpp"

namespace rltune::backup {

struct Created {
  std::filesystem::path file;
  Manifest manifest;
  std::uint64_t bytes = 0;  // of the file
};

// Copies the site of a file into one new file in `target`. Needs as much free space beside the site's data as that
// takes: the copies are made there first, as plain as the data themselves. Files that the site replaces on the way are
// copied again, for half a minute at most. Errors: those of the site's file, io, no_space, corrupt; timeout: the site
// replaced them faster all the time. `tell` may be empty.
Result<Created> create(const std::filesystem::path& site_file, const std::filesystem::path& target, const Key& key,
                       const Clock& clock, const TellProgress& tell = {});

// What was found in a restored folder; `faults` says what does not fit together, `notes` what is worth knowing and
// keeps nobody from going on.
struct Agreement {
  std::uint64_t databases = 0, decisions = 0, checkpoints = 0, policies = 0, versions = 0, audit_lines = 0;
  std::string configuration;  // the newest version of the configuration's history
  std::vector<std::string> faults, notes;
};

// Whether site, configuration history, databases, registry, decisions, weights, checkpoints and audit log in a folder
// agree with each other.
Agreement examine(const std::filesystem::path& folder, const Manifest& manifest);

// The same of a site where it lies, running or not; what was put aside as damaged is among the notes. Errors: those of
// the site's file.
Result<Agreement> check_site(const std::filesystem::path& site_file);

struct Restored {
  Manifest manifest;
  Agreement agreement;
  std::filesystem::path site;  // the site's file
};

// Into a folder that is empty or not there: everything is unpacked and examined beside it, then takes its place at
// once. Errors: those of unpack(); mismatch (parts do not agree: all faults), unless that is wanted `anyway`.
Result<Restored> restore(const std::filesystem::path& file, const Key& key, const std::filesystem::path& folder,
                         bool anyway = false);

// The same in `scratch`, which is made and stays; faults of agreement are told and are no error.
Result<Restored> verify(const std::filesystem::path& file, const Key& key, const std::filesystem::path& scratch);
// The same among the data of a site that may run on; nothing of it stays, and what a run that was killed left goes.
// Errors: those of the site's file besides.
Result<Restored> verify_beside(const std::filesystem::path& site_file, const std::filesystem::path& file,
                               const Key& key);

// A plain name of a backup's file; of this site's alone, unless `site` is empty.
bool is_backup(std::string_view name, std::string_view site = {});
// Backups of a folder, oldest first, by their names. Of the site `name` alone, unless empty.
Result<std::vector<std::filesystem::path>> list(const std::filesystem::path& folder, const std::string& name = {});
// Of names of one site's backups those that need not be kept: not among the newest, nor the newest of their day, week
// (from Monday on) or month, in UTC, as far back as the rule goes. Days without a backup do not count. One always
// stays.
std::set<std::string> superfluous(const std::set<std::string>& names, const config::BackupRetention& rule);
// Removes them from a folder. Returns what went.
Result<std::vector<std::filesystem::path>> rotate(const std::filesystem::path& folder, const std::string& name,
                                                  const config::BackupRetention& rule);

}  // namespace rltune::backup
