// Whether an audit log is what was written: the chain of every role, and its heads. docs/formats/audit-log.md.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "rltune/audit/entry.hpp"
#include "rltune/base/error.hpp"

namespace rltune::audit {

// A role's files as they are: what verification judges.
struct RoleFiles {
  struct File {
    std::string name, bytes;
  };
  std::string role;
  std::vector<File> logs;   // in their order
  std::vector<File> heads;  // the role's own, and those from elsewhere
};

struct Fault {
  std::string file;
  std::uint64_t line = 0;  // 1 is the first; 0: the file as a whole
  std::string kind;        // changed, missing, inserted, reordered, cut, head, damaged
  std::string what;
};

struct RoleReport {
  std::string role;
  std::uint64_t files = 0, lines = 0, heads = 0, repaired = 0;
  std::uint64_t last_signed = 0;  // sequence number of the last line that a head vouches for
  std::uint64_t starts_at = 1;    // of the first line that stands; before it retention has removed what there was
  std::string first_time, last_time;
  std::vector<Fault> faults;
};

// `public_key`: the one that must have signed; empty: any, as long as it is the same.
RoleReport check(const RoleFiles& files, const std::string& public_key);

// Every role of a folder, and every role that `heads_folder` (may be empty) knows. Errors: not_found, io.
Result<std::vector<RoleReport>> verify(const std::filesystem::path& audit_folder,
                                       const std::filesystem::path& heads_folder, const std::string& public_key);

// Every line of every role, by role and in its order, beside running writers; lines that do not decode are left out
// (verify() tells of them). What is encrypted comes as it is shown with the key that is there, and its hash as it
// stands on disk. `visit` returns false to stop.
Result<> read_lines(const std::filesystem::path& audit_folder,
                    const std::function<bool(const std::string& role, const Line&)>& visit);

}  // namespace rltune::audit
