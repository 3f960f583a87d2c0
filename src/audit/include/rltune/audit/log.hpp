// The Log appends to one role's audit log: chained, synced, repaired after a crash. docs/formats/audit-log.md.
//
// Threads: one Log belongs to one thread. append() waits for the disk: control loops use a Recorder.
// Files:   one writer a role, kept by a lock; others read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "rltune/audit/entry.hpp"
#include "rltune/audit/head.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/error.hpp"

namespace rltune::audit {

class Log {
 public:
  // Waits up to `patience` for another writer of the role. Errors: timeout (it still writes), io, no_space, denied.
  static Result<Log> open(const std::filesystem::path& audit_folder, const std::string& role, const Clock& clock,
                          Duration patience = std::chrono::seconds(5));
  ~Log();
  Log(Log&&) noexcept;
  Log& operator=(Log&&) noexcept;

  // On disk, all of them, when it returns well; none of them otherwise.
  Result<> append(std::span<const Entry> entries);
  Result<> append(const Entry& entry) { return append({&entry, 1}); }
  // Signs and stores how far the log goes; nothing where no line was added since the last one.
  Result<std::optional<Head>> sign_head();

  // Removes whole days that ended before `time`; an entry that is on disk and signed by then says where the log begins.
  // Returns how many files went. Errors: corrupt (the day that stays cannot be read), io.
  Result<std::uint64_t> remove_before(TimePoint time);

  std::uint64_t sequence() const noexcept;  // of the last line; 0 before the first

 private:
  struct State;
  explicit Log(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The same for every role but one whose log nobody writes now: of commands, and of roles that are gone.
std::uint64_t remove_before(const std::filesystem::path& audit_folder, const std::string& but, TimePoint time,
                            const Clock& clock);

// For commands: one entry in the log of the role `cli`, and its head.
Result<> append_once(const std::filesystem::path& audit_folder, const std::string& role, const Entry& entry);

}  // namespace rltune::audit
