#include "backup_operations.hpp"

#include "asking.hpp"
#include "rltune/api/backups.hpp"
#include "rltune/v1/backup.pb.h"

namespace rltune::gateway {
namespace {

using namespace std::chrono_literals;

constexpr auto kListPatience = 30'000ms;  // they may lie on another host
constexpr int kAccepted = 202;

api::BackupJob job_of(const v1::BackupJob& told) {
  api::BackupJob job{.id = told.id(),
                     .verb = told.verb(),
                     .user = told.user(),
                     .state = told.state(),
                     .begun = time_of(told.begun_unix_ns()),
                     .ended = time_of(told.ended_unix_ns()),
                     .faults = {told.faults().begin(), told.faults().end()},
                     .notes = {told.notes().begin(), told.notes().end()}};
  if (!told.backup().empty()) job.backup = told.backup();
  if (!told.trouble().empty()) job.trouble = told.trouble();
  if (told.stage().empty()) return job;
  job.stage = told.stage();
  job.bytes = told.bytes();
  if (told.bytes_total() != 0) job.bytes_total = told.bytes_total();
  return job;
}

Answer job(const v1::BackupJob& answered) { return answer(job_of(answered)); }

Answer accepted(const v1::BackupJob& answered) {
  Answer told = job(answered);
  told.status = kAccepted;
  return told;
}

Answer backups(const v1::BackupsAnswer& answered) {
  api::BackupList list{.backups = {}, .left_out = answered.left_out()};
  if (answered.has_newest_age_s()) list.newest_age_s = answered.newest_age_s();
  for (const v1::BackupInfo& told : answered.backups()) {
    api::BackupBrief& backup = list.backups.emplace_back(api::BackupBrief{.name = told.name(),
                                                                          .bytes = told.bytes(),
                                                                          .parts = told.parts(),
                                                                          .created = time_of(told.created_unix_ns()),
                                                                          .trouble = {}});
    if (!told.trouble().empty()) backup.trouble = told.trouble();
  }
  return answer(list);
}

void order(bus::Caller& caller, const CallPointer& call, const std::string& verb, const std::string& backup,
           const std::string& reason, const Done& done) {
  v1::BackupOrder order;
  order.set_verb(verb);
  order.set_backup(backup);
  order.set_user(call->identity->name);
  order.set_reason(reason);
  ask<v1::BackupJob>(caller, call, to("coredinator.OrderBackup", "coredinator"), order, accepted, done);
}

}  // namespace

Handlers backup_handlers(const Reading& reading) {
  Handlers handlers;
  handlers.emplace("listBackups", [reading](const CallPointer& call, const Done& done) {
    ask_for_much<v1::BackupsAnswer>(reading.caller, reading.workers, call,
                                    to("records.Backups", "coredinator.records", kListPatience), v1::BackupsRequest(),
                                    backups, done);
  });
  handlers.emplace("createBackup",
                   taking<api::BackupReason>([reading](const CallPointer& call, const auto& message, const Done& done) {
                     order(reading.caller, call, "create", {}, message.reason, done);
                   }));
  handlers.emplace("verifyBackup",
                   taking<api::BackupReason>([reading](const CallPointer& call, const auto& message, const Done& done) {
                     order(reading.caller, call, "verify", call->parts[0], message.reason, done);
                   }));
  handlers.emplace("getBackupJob", [reading](const CallPointer& call, const Done& done) {
    v1::BackupJobRequest request;
    request.set_id(call->parts[0]);
    ask<v1::BackupJob>(reading.caller, call, to("coredinator.BackupJob", "coredinator"), request, job, done);
  });
  return handlers;
}

}  // namespace rltune::gateway
