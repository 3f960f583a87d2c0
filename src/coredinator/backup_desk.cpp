#include "backup_desk.hpp"

#include <format>

#include "rltune/backup/backup.hpp"
#include "rltune/base/id.hpp"
#include "rltune/base/log.hpp"

namespace rltune::coredinator {
namespace {

constexpr int kOrder = 30, kNice = 19, kOom = 800;  // as a learner's: control never waits for it
constexpr auto kLimit = std::chrono::hours(12);     // a target that hangs keeps nobody from the next one for ever

// What is done once and waits for another attempt could not be spawned at all.
bool ended(const v1::RoleState& role) {
  if (role.state() == "backoff") return true;
  return role.started_unix_ns() != 0 &&
         (role.state() == "done" || role.state() == "failed" || role.state() == "stopped");
}

}  // namespace

BackupDesk::BackupDesk(const Options& options, audit::Recorder& audit, const Clock& clock)
    : options_(options),
      folder_(std::filesystem::absolute(options.site).parent_path()),
      progress_file_(options.run_folder / "backup.json"),
      audit_(audit),
      clock_(clock) {}

void BackupDesk::serve(bus::Server& server) {
  server.handle<v1::BackupOrder, v1::BackupJob>(
      "coredinator.OrderBackup", [this](const bus::Call& call, const v1::BackupOrder& request, v1::BackupJob& job) {
        return order(request, call.correlation_id, job);
      });
  server.handle<v1::BackupJobRequest, v1::BackupJob>(
      "coredinator.BackupJob",
      [this](const bus::Call&, const v1::BackupJobRequest& request, v1::BackupJob& job) { return tell(request, job); });
}

Result<> BackupDesk::order(const v1::BackupOrder& order, std::string_view correlation_id, v1::BackupJob& job) {
  const bool verify = order.verb() == "verify";
  if (!verify && order.verb() != "create") return fail(Errc::invalid_argument, "a backup is created or verified");
  if (verify && !backup::is_backup(order.backup())) return fail(Errc::not_found, "there is no such backup");
  if (wanted_)
    return fail(Errc::mismatch,
                "another backup is made or verified; GET /api/v1/backups/jobs/" + job_->id() + " says how far it is");
  job_.emplace();
  job_->set_id(make_id(clock_.now()));
  job_->set_verb(order.verb());
  job_->set_backup(order.backup());
  job_->set_user(order.user());
  job_->set_state("running");
  job_->set_begun_unix_ns(clock_.now().time_since_epoch().count());
  std::error_code ignored;
  std::filesystem::remove(progress_file_, ignored);  // of another job
  wanted_ = plan();
  changed_ = true;
  audit_.post({.actor = order.user(),
               .action = "backup." + order.verb() + "_ordered",
               .target = verify ? order.backup() : job_->id(),
               .reason = order.reason(),
               .correlation_id = std::string(correlation_id)});
  job = *job_;
  return {};
}

Planned BackupDesk::plan() const {
  Planned planned;
  planned.once = true;
  planned.limit = kLimit;
  planned.spec.set_once(true);
  planned.spec.set_name("backup." + job_->id());
  planned.spec.set_order(kOrder);
  planned.spec.set_nice(kNice);
  planned.spec.set_oom_score_adjust(kOom);
  std::vector<std::string> command{(options_.executables / "rltune-backup").string(), job_->verb()};
  const std::filesystem::path target = folder_ / kBackupFolder, key = folder_ / kBackupKey;
  if (job_->verb() == "create")
    command.insert(command.end(), {options_.site.string(), "--to", target.string()});
  else
    command.insert(command.end(), {(target / job_->backup()).string(), "--site", options_.site.string()});
  command.insert(command.end(), {"--progress", progress_file_.string()});
  std::error_code ignored;
  if (std::filesystem::exists(key, ignored)) command.insert(command.end(), {"--key", key.string()});
  planned.spec.mutable_command()->Assign(command.begin(), command.end());
  return planned;
}

Result<> BackupDesk::tell(const v1::BackupJobRequest& request, v1::BackupJob& job) const {
  if (!job_ || (!request.id().empty() && request.id() != job_->id()))
    return fail(Errc::not_found, "no such backup was ordered since coredinator began, or another one was since");
  job = *job_;
  if (!wanted_) return {};
  add_progress(job);
  if (job.stage() == "done" || job.stage() == "failed") job.clear_stage();  // it ends
  return {};
}

// Of a file that is there as soon as the work has begun.
void BackupDesk::add_progress(v1::BackupJob& job) const {
  const auto progress = backup::read_progress(progress_file_);
  if (!progress) return;
  job.set_stage(progress->stage);
  job.set_bytes(progress->bytes);
  job.set_bytes_total(progress->bytes_total);
  if (!progress->backup.empty()) job.set_backup(progress->backup);
  job.set_trouble(without_folder(progress->trouble));
  for (const std::string& fault : progress->faults) job.add_faults(without_folder(fault));
  for (const std::string& note : progress->notes) job.add_notes(without_folder(note));
}

// As who is elsewhere may read it.
std::string BackupDesk::without_folder(std::string message) const {
  const std::string folder = folder_.string() + "/";
  for (std::size_t at = 0; (at = message.find(folder, at)) != std::string::npos;) message.erase(at, folder.size());
  return message;
}

void BackupDesk::turn(const v1::RolesAnswer& roles) {
  if (!wanted_) return;
  for (const v1::RoleState& role : roles.roles())
    if (role.name() == wanted_->spec.name() && ended(role)) return end(role);
}

void BackupDesk::end(const v1::RoleState& role) {
  add_progress(*job_);
  // A verification that found faults has done its work.
  const bool done = job_->stage() == "done";
  job_->set_state(done ? "done" : "failed");
  if (!done && job_->trouble().empty())
    job_->set_trouble(std::format("it ended early: {}; the log of the role backup says more", role.reason()));
  job_->clear_stage();
  job_->set_ended_unix_ns(clock_.now().time_since_epoch().count());
  wanted_.reset();
  changed_ = true;
  if (done)
    log::info("a backup was " + std::string(job_->verb() == "create" ? "made" : "verified"),
              {{"file", job_->backup()}});
  else
    log::error("a backup failed", {{"reason", job_->trouble()}});
}

}  // namespace rltune::coredinator
