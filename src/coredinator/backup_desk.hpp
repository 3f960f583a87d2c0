// Backups that are ordered over the bus: made and verified one at a time by rltune-backup, a process of its own at the
// lowest priority, which the keeper spawns as it does every role. Whoever asks is told how far it is.
//
// What is known of a job goes with this process: its role then ends, and the next one sweeps up behind it.
// Threads: the one that serves the bus. It never reads the folder of the backups, which may lie on a disk that hangs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "plan.hpp"
#include "rltune/audit/recorder.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/backup.pb.h"

namespace rltune::coredinator {

// Beside site.yaml.
inline constexpr const char *kBackupFolder = "backups", *kBackupKey = "secrets/backup.key";

class BackupDesk {
 public:
  BackupDesk(const Options& options, audit::Recorder& audit, const Clock& clock);

  void serve(bus::Server& server);
  // Begins at the next turn. Errors: invalid_argument; mismatch: another one is under way.
  Result<> order(const v1::BackupOrder& order, std::string_view correlation_id, v1::BackupJob& job);
  // The last one, where none is named. Errors: not_found.
  Result<> tell(const v1::BackupJobRequest& request, v1::BackupJob& job) const;

  // The role that does the work, while there is any.
  const std::optional<Planned>& wanted() const noexcept { return wanted_; }
  // True once after wanted() has changed.
  bool take_change() noexcept { return std::exchange(changed_, false); }
  // Looks what became of it.
  void turn(const v1::RolesAnswer& roles);

 private:
  Planned plan() const;
  void add_progress(v1::BackupJob& job) const;
  void end(const v1::RoleState& role);
  std::string without_folder(std::string message) const;

  const Options options_;
  const std::filesystem::path folder_, progress_file_;
  audit::Recorder& audit_;
  const Clock& clock_;
  std::optional<v1::BackupJob> job_;
  std::optional<Planned> wanted_;
  bool changed_ = false;
};

}  // namespace rltune::coredinator
