// Messages about backups of the site: those that lie there, and the one that is made or verified now.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/api/field.hpp"
#include "rltune/api/site.hpp"
#include "rltune/base/time.hpp"

namespace rltune::api {

inline constexpr std::array<std::string_view, 2> kBackupVerbs{"create", "verify"};
inline constexpr std::array<std::string_view, 3> kBackupStates{"running", "done", "failed"};

struct BackupReason {
  static constexpr std::string_view kSchema = "BackupReason";
  std::string reason;
};
template <typename Visitor>
void describe(Visitor& v, BackupReason& order) {
  v.field("reason", order.reason, {.note = "for the record", .length_max = kReasonMax});
}

struct BackupBrief {
  static constexpr std::string_view kSchema = "Backup";
  std::string name;
  std::uint64_t bytes = 0, parts = 0;
  std::optional<TimePoint> created;
  std::optional<std::string> trouble;
};
template <typename Visitor>
void describe(Visitor& v, BackupBrief& backup) {
  v.field("name", backup.name, {.note = "of its file"});
  v.field("bytes", backup.bytes, {.note = "of its file"});
  v.field("parts", backup.parts, {.note = "files and databases in it"});
  v.field("created", backup.created, {.note = "the point in time that it is of; missing: it cannot be read"});
  v.field("trouble", backup.trouble, {.note = "why it cannot be read; missing: its beginning can"});
}

struct BackupList {
  static constexpr std::string_view kSchema = "BackupList";
  std::vector<BackupBrief> backups;
  std::uint64_t left_out = 0;
  std::optional<double> newest_age_s;
};
template <typename Visitor>
void describe(Visitor& v, BackupList& list) {
  v.field("backups", list.backups, {.note = "oldest first"});
  v.field("left_out", list.left_out, {.note = "older than the newest 1000"});
  v.field("newest_age_s", list.newest_age_s,
          {.note = "since the point in time of the newest that can be read; missing: there is none"});
}

struct BackupJob {
  static constexpr std::string_view kSchema = "BackupJob";
  std::string id, verb, user, state;
  std::optional<std::string> backup, stage, trouble;
  std::optional<std::uint64_t> bytes, bytes_total;
  std::optional<TimePoint> begun, ended;
  std::vector<std::string> faults, notes;
};
template <typename Visitor>
void describe(Visitor& v, BackupJob& job) {
  v.field("id", job.id, {.note = "to ask for it again"});
  v.field("verb", job.verb, {.note = "what is done", .words = kBackupVerbs});
  v.field("user", job.user, {.note = "who ordered it"});
  v.field("state", job.state, {.note = "failed: `trouble` says why", .words = kBackupStates});
  v.field("backup", job.backup, {.note = "its name; of one that is made, once it is there"});
  v.field("stage", job.stage, {.note = "copying, packing or unpacking, while it runs"});
  v.field("bytes", job.bytes, {.note = "of the stage, so far"});
  v.field("bytes_total", job.bytes_total, {.note = "of the stage; missing: not known"});
  v.field("trouble", job.trouble, {.note = "why it failed", .length_max = 4'096});
  v.field("begun", job.begun, {.note = "when it was ordered"});
  v.field("ended", job.ended, {.note = "missing: it has not"});
  v.field("faults", job.faults,
          {.note = "of one that was verified: what does not fit together; none: it can be restored"});
  v.field("notes", job.notes, {.note = "of one that was verified: what is worth knowing"});
}

}  // namespace rltune::api
