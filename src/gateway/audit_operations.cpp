#include "audit_operations.hpp"

#include "asking.hpp"
#include "page.hpp"
#include "rltune/api/audit.hpp"
#include "rltune/v1/history.pb.h"

namespace rltune::gateway {
namespace {

using namespace std::chrono_literals;

constexpr const char* kAuditLogs = "coredinator.records";
constexpr auto kVerificationPatience = 60'000ms;  // every line of every day is hashed

api::AuditLine line_of(const v1::AuditLine& told) {
  return {.time = TimePoint(Duration(told.time_unix_ns())),
          .role = told.role(),
          .actor = told.actor(),
          .action = told.action(),
          .target = told.target(),
          .reason = told.reason(),
          .correlation_id = told.correlation_id(),
          .hash = told.hash(),
          .sequence = told.sequence(),
          .details = {told.details().begin(), told.details().end()}};
}

Answer verification(const v1::AuditVerificationAnswer& answered) {
  api::AuditVerification report{.good = answered.faults().empty(), .key = answered.key(), .faults = {}, .roles = {}};
  for (const v1::AuditFault& fault : answered.faults())
    report.faults.push_back(
        {.role = fault.role(), .file = fault.file(), .kind = fault.kind(), .what = fault.what(), .line = fault.line()});
  for (const v1::AuditRoleReport& role : answered.roles())
    report.roles.push_back({.role = role.role(),
                            .files = role.files(),
                            .lines = role.lines(),
                            .heads = role.heads(),
                            .last_signed = role.last_signed(),
                            .starts_at = role.starts_at(),
                            .faults = role.faults()});
  return answer(report);
}

void list_audit(const Reading& reading, const CallPointer& call, const api::AuditQuery& query, const Page& page,
                const Done& done) {
  v1::AuditRequest request;
  request.set_from_unix_ns(page.from.time_since_epoch().count());
  request.set_to_unix_ns(page.to.time_since_epoch().count());
  request.set_actor(query.actor.value_or(""));
  request.set_action(query.action.value_or(""));
  request.set_limit(page.limit);
  request.set_after(page.after);
  const auto told = [page](const v1::AuditAnswer& reply) {
    api::AuditList list;
    for (const v1::AuditLine& line : reply.lines()) list.lines.push_back(line_of(line));
    if (!reply.next_after().empty())
      list.next = cursor_of({.from = page.from, .to = page.to, .limit = page.limit, .after = reply.next_after()});
    return answer(list);
  };
  ask_for_much<v1::AuditAnswer>(reading.caller, reading.workers, call, to("records.Audit", kAuditLogs), request, told,
                                done);
}

}  // namespace

Handlers audit_handlers(const Reading& reading, const TellRead& tell_read) {
  Handlers handlers;
  handlers.emplace("listAudit", paging<api::AuditQuery>(reading.clock, [reading, tell_read](
                                                                           const CallPointer& call, const auto& query,
                                                                           const Page& page, const Done& done) {
                     if (page.after.empty())
                       tell_read({call->identity->name, "audit.show", query.actor.value_or(""), call->correlation_id});
                     list_audit(reading, call, query, page, done);
                   }));
  handlers.emplace("verifyAudit", [reading](const CallPointer& call, const Done& done) {
    ask<v1::AuditVerificationAnswer>(reading.caller, call,
                                     to("records.AuditVerification", kAuditLogs, kVerificationPatience),
                                     v1::AuditVerificationRequest(), verification, done);
  });
  return handlers;
}

}  // namespace rltune::gateway
