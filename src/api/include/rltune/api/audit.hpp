// Messages about who did what, and whether the record of it is what was written.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rltune/api/field.hpp"
#include "rltune/api/history.hpp"
#include "rltune/base/time.hpp"

namespace rltune::api {

struct AuditQuery {
  std::optional<std::string> actor, action;
  PageQuery page;
};
template <typename Visitor>
void describe(Visitor& v, AuditQuery& query) {
  v.field("actor", query.actor, {.note = "by this person or role alone", .length_max = 200});
  v.field("action", query.action,
          {.note = "this alone, or all that begin so: mode, setpoint.write", .length_max = 200});
  describe_page(v, query.page);
}

struct AuditLine {
  static constexpr std::string_view kSchema = "AuditLine";
  TimePoint time{};
  std::string role, actor, action, target, reason, correlation_id, hash;
  std::uint64_t sequence = 0;
  std::map<std::string, std::string> details;
};
template <typename Visitor>
void describe(Visitor& v, AuditLine& line) {
  v.field("time", line.time, {.note = "when it was done"});
  v.field("role", line.role, {.note = "that wrote it down"});
  v.field("sequence", line.sequence, {.note = "in that role's log, without a gap"});
  v.field("actor", line.actor, {.note = "who did it", .length_max = 4'096});
  v.field("action", line.action, {.note = "what: mode.change", .length_max = 4'096});
  v.field("target", line.target, {.note = "to what", .length_max = 4'096});
  v.field("reason", line.reason, {.note = "why, in that person's words", .length_max = 4'096});
  v.field("correlation_id", line.correlation_id, {.note = "by which the log has more of it", .length_max = 4'096});
  v.field("details", line.details, {.note = "what else there is to say", .length_max = kPageEntriesMax});
  v.field("hash", line.hash, {.note = "of the line, which the next one names"});
}

struct AuditList {
  static constexpr std::string_view kSchema = "AuditList";
  std::vector<AuditLine> lines;
  std::optional<std::string> next;
};
template <typename Visitor>
void describe(Visitor& v, AuditList& list) {
  v.field("lines", list.lines, {.note = "of every role, ascending by time", .length_max = kPageMax});
  v.field("next", list.next, {.note = "the cursor of what follows; missing: nothing does"});
}

struct AuditFault {
  static constexpr std::string_view kSchema = "AuditFault";
  std::string role, file, kind, what;
  std::uint64_t line = 0;
};
template <typename Visitor>
void describe(Visitor& v, AuditFault& fault) {
  v.field("role", fault.role, {.note = "whose log"});
  v.field("file", fault.file, {.note = "in which file"});
  v.field("line", fault.line, {.note = "of it; 0: the file as a whole"});
  v.field("kind", fault.kind, {.note = "changed, missing, inserted, reordered, cut, head or damaged"});
  v.field("what", fault.what, {.note = "what is wrong there", .length_max = 4'096});
}

struct AuditRole {
  static constexpr std::string_view kSchema = "AuditRole";
  std::string role;
  std::uint64_t files = 0, lines = 0, heads = 0, last_signed = 0, starts_at = 0, faults = 0;
};
template <typename Visitor>
void describe(Visitor& v, AuditRole& role) {
  v.field("role", role.role, {.note = "whose log"});
  v.field("files", role.files, {.note = "one a day"});
  v.field("lines", role.lines, {.note = "that were checked"});
  v.field("heads", role.heads, {.note = "signatures that were checked"});
  v.field("last_signed", role.last_signed, {.note = "number of the last line that a signature vouches for"});
  v.field("starts_at", role.starts_at, {.note = "number of the first line; what was before, retention removed"});
  v.field("faults", role.faults, {.note = "all that were found"});
}

struct AuditVerification {
  static constexpr std::string_view kSchema = "AuditVerification";
  bool good = false;
  std::string key;
  std::vector<AuditFault> faults;
  std::vector<AuditRole> roles;
};
template <typename Visitor>
void describe(Visitor& v, AuditVerification& report) {
  v.field("good", report.good, {.note = "it is what was written, by the signatures and the key of the site's host"});
  v.field("key", report.key, {.note = "public, of the signatures; compare it with one that the host cannot write"});
  v.field("faults", report.faults, {.note = "the first ones, fifty at most"});
  v.field("roles", report.roles, {.note = "every one that wrote a log"});
}

}  // namespace rltune::api
