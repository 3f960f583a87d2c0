#include "audit_desk.hpp"

#include <algorithm>

#include "rltune/audit/head.hpp"
#include "rltune/audit/search.hpp"
#include "rltune/audit/verify.hpp"
#include "rltune/reading/page_max.hpp"

namespace rltune::coredinator {
namespace {

constexpr int kFaultsMax = 50;

v1::AuditLine message_of(const audit::FoundLine& found) {
  const audit::Entry& entry = found.line.entry;
  v1::AuditLine line;
  line.set_role(found.role);
  line.set_sequence(found.line.sequence);
  line.set_time_unix_ns(entry.time.time_since_epoch().count());
  line.set_actor(entry.actor);
  line.set_action(entry.action);
  line.set_target(entry.target);
  line.set_reason(entry.reason);
  line.set_correlation_id(entry.correlation_id);
  for (const auto& [name, value] : entry.details) (*line.mutable_details())[name] = value;
  line.set_hash(found.line.hash);
  return line;
}

void tell(const audit::RoleReport& report, v1::AuditVerificationAnswer& answer) {
  v1::AuditRoleReport& role = *answer.add_roles();
  role.set_role(report.role);
  role.set_files(report.files);
  role.set_lines(report.lines);
  role.set_heads(report.heads);
  role.set_last_signed(report.last_signed);
  role.set_starts_at(report.starts_at);
  role.set_faults(report.faults.size());
  for (const audit::Fault& fault : report.faults) {
    if (answer.faults_size() >= kFaultsMax) return;
    v1::AuditFault& told = *answer.add_faults();
    told.set_role(report.role);
    told.set_file(fault.file);
    told.set_line(fault.line);
    told.set_kind(fault.kind);
    told.set_what(fault.what);
  }
}

}  // namespace

void AuditDesk::add_to(bus::Server& server) {
  server.handle<v1::AuditRequest, v1::AuditAnswer>(
      "records.Audit", [this](const bus::Call&, const v1::AuditRequest& request, v1::AuditAnswer& answer) {
        return lines(request, answer);
      });
  server.handle<v1::AuditVerificationRequest, v1::AuditVerificationAnswer>(
      "records.AuditVerification", [this](const bus::Call&, const v1::AuditVerificationRequest&,
                                          v1::AuditVerificationAnswer& answer) { return verify(answer); });
}

Result<> AuditDesk::lines(const v1::AuditRequest& request, v1::AuditAnswer& answer) const {
  if (request.from_unix_ns() > request.to_unix_ns()) return fail(Errc::invalid_argument, "`from` is after `to`");
  const auto page =
      audit::find_lines(folder_, {.from = TimePoint(Duration(request.from_unix_ns())),
                                  .to = TimePoint(Duration(request.to_unix_ns())),
                                  .actor = request.actor(),
                                  .action = request.action(),
                                  .after = request.after(),
                                  .limit = std::clamp<std::size_t>(request.limit(), 1, reading::kPageMax)});
  if (!page) return std::unexpected(page.error());
  for (const audit::FoundLine& found : page->lines) *answer.add_lines() = message_of(found);
  answer.set_next_after(page->next);
  return {};
}

Result<> AuditDesk::verify(v1::AuditVerificationAnswer& answer) const {
  const std::filesystem::path file = folder_ / "key.pub";
  if (std::filesystem::exists(file)) {
    const auto key = audit::read_public_key(file);
    if (!key) return std::unexpected(key.error());
    answer.set_key(*key);
  }
  const auto reports = audit::verify(folder_, {}, answer.key());
  if (!reports) return std::unexpected(reports.error());
  for (const audit::RoleReport& report : *reports) tell(report, answer);
  return {};
}

}  // namespace rltune::coredinator
