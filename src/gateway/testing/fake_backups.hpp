// What coredinator would say of backups.
#pragma once

#include <functional>
#include <string>

#include "rltune/bus/bus.hpp"
#include "rltune/v1/backup.pb.h"

namespace rltune::gateway {

struct FakeBackups {
  using Note = std::function<void(const bus::Call&, const std::string& what)>;

  FakeBackups() {
    job.set_verb("create");
    job.set_state("done");
  }
  void serve(bus::Server& server, const Note& note) {
    server.handle<v1::BackupsRequest, v1::BackupsAnswer>(
        "records.Backups", [this, note](const bus::Call& call, const v1::BackupsRequest&, v1::BackupsAnswer& answer) {
          note(call, {});
          answer = backups;
          return Result<>();
        });
    server.handle<v1::BackupOrder, v1::BackupJob>(
        "coredinator.OrderBackup",
        [this, note](const bus::Call& call, const v1::BackupOrder& order, v1::BackupJob& answer) -> Result<> {
          note(call, order.user() + ":" + order.verb() + ":" + order.backup() + ":" + order.reason());
          if (job.state() == "running") return fail(Errc::mismatch, "another backup is made or verified");
          answer.set_id("0199");
          answer.set_verb(order.verb());
          answer.set_state("running");
          return {};
        });
    server.handle<v1::BackupJobRequest, v1::BackupJob>(
        "coredinator.BackupJob",
        [this, note](const bus::Call& call, const v1::BackupJobRequest& request, v1::BackupJob& answer) -> Result<> {
          note(call, request.id());
          if (request.id() == "nothing") return fail(Errc::not_found, "no such backup was ordered");
          answer = job;
          return {};
        });
  }

  // Set before anything asks.
  v1::BackupsAnswer backups;
  v1::BackupJob job;
};

}  // namespace rltune::gateway
