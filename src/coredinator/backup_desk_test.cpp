#include "backup_desk.hpp"

#include <gmock/gmock.h>

#include "backup_list.hpp"
#include "manual_clock.hpp"
#include "rltune/backup/backup.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/sha256.hpp"
#include "temporary_folder.hpp"

namespace rltune::coredinator {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class BackupDeskTest : public ::testing::Test {
 protected:
  Result<v1::BackupJob> order(const std::string& verb, const std::string& backup = {}) {
    v1::BackupOrder order;
    order.set_verb(verb);
    order.set_backup(backup);
    order.set_user("eve");
    v1::BackupJob job;
    if (const auto done = desk_.order(order, "call-1", job); !done) return std::unexpected(done.error());
    return job;
  }
  Result<v1::BackupJob> job(const std::string& id = {}) const {
    v1::BackupJobRequest request;
    request.set_id(id);
    v1::BackupJob job;
    if (const auto done = desk_.tell(request, job); !done) return std::unexpected(done.error());
    return job;
  }
  void progress(const backup::Progress& progress) const {
    ASSERT_TRUE(backup::write_progress(folder_.path() / "run/backup.json", progress));
  }
  void role_is(const std::string& state, const std::string& reason = {}) {
    v1::RolesAnswer roles;
    v1::RoleState& role = *roles.add_roles();
    role.set_name(desk_.wanted()->spec.name());
    role.set_started_unix_ns(1);
    role.set_state(state);
    role.set_reason(reason);
    desk_.turn(roles);
  }

  TemporaryFolder folder_;
  ManualClock clock_{TimePoint(std::chrono::hours(1'000))};
  audit::Recorder audit_{{.folder = folder_.path() / "audit", .role = "test"}};
  BackupDesk desk_{{folder_.path() / "site.yaml", folder_.path() / "run", "/opt/bin"}, audit_, clock_};
};

TEST_F(BackupDeskTest, one_is_made_at_a_time_by_a_process_of_the_lowest_priority) {
  EXPECT_EQ(job().error().code, Errc::not_found);
  const auto begun = order("create");
  ASSERT_TRUE(begun) << begun.error().message;
  EXPECT_EQ(begun->state(), "running");
  ASSERT_TRUE(desk_.wanted());
  EXPECT_TRUE(desk_.take_change());
  EXPECT_FALSE(desk_.take_change());
  const v1::RoleSpec& spec = desk_.wanted()->spec;
  EXPECT_EQ(spec.nice(), 19);
  EXPECT_TRUE(spec.once() && desk_.wanted()->once);
  EXPECT_EQ(spec.command(0), "/opt/bin/rltune-backup");
  EXPECT_THAT(spec.command(), Contains((folder_.path() / "backups").string()));
  EXPECT_EQ(order("create").error().code, Errc::mismatch);
  EXPECT_EQ(order("verify", "pilot-20260102T030000Z.rltune-backup").error().code, Errc::mismatch);

  progress({.stage = "packing", .bytes = 5, .bytes_total = 10});
  role_is("running");
  EXPECT_EQ(job(begun->id())->stage(), "packing");
  EXPECT_EQ(job()->bytes(), 5U);
  progress({.stage = "done", .backup = "pilot-20260102T030000Z.rltune-backup"});
  role_is("done", "exit 0");
  EXPECT_EQ(job()->state(), "done");
  EXPECT_EQ(job()->backup(), "pilot-20260102T030000Z.rltune-backup");
  EXPECT_NE(job()->ended_unix_ns(), 0);
  EXPECT_FALSE(desk_.wanted());
  EXPECT_TRUE(desk_.take_change());

  const auto next = order("create");
  ASSERT_TRUE(next);
  EXPECT_EQ(job()->stage(), "") << "what the one before said is gone";
  EXPECT_EQ(job(begun->id()).error().code, Errc::not_found);
}

TEST_F(BackupDeskTest, what_failed_says_why_and_nothing_of_the_host) {
  ASSERT_TRUE(order("create"));
  progress({.stage = "failed", .trouble = "cannot write " + folder_.path().string() + "/backups/x: no space left"});
  role_is("failed", "exit 1");
  EXPECT_EQ(job()->state(), "failed");
  EXPECT_EQ(job()->trouble(), "cannot write backups/x: no space left");
  ASSERT_TRUE(order("create"));
  role_is("failed", "signal 9");
  EXPECT_THAT(job()->trouble(), HasSubstr("signal 9"));
  ASSERT_TRUE(order("create"));
  role_is("backoff", "no such program");
  EXPECT_THAT(job()->trouble(), HasSubstr("no such program"));
  EXPECT_FALSE(desk_.wanted());
}

TEST_F(BackupDeskTest, a_verification_that_found_faults_has_done_its_work) {
  ASSERT_TRUE(order("verify", "pilot-20260102T030000Z.rltune-backup"));
  EXPECT_THAT(desk_.wanted()->spec.command(), Contains((folder_.path() / "site.yaml").string()));
  progress({.stage = "done", .faults = {"registry: agent light has 0 active versions"}});
  role_is("failed", "exit 1");
  EXPECT_EQ(job()->state(), "done");
  EXPECT_EQ(job()->faults_size(), 1);
  for (const char* name : {"", "../x", "../pilot-20260102T030000Z.rltune-backup", "site.yaml"})
    EXPECT_EQ(order("verify", name).error().code, Errc::not_found) << name;
  EXPECT_EQ(order("restore").error().code, Errc::invalid_argument);
}

TEST_F(BackupDeskTest, those_that_lie_there_are_listed) {
  const BackupList backups(folder_.path(), clock_);
  v1::BackupsAnswer none;
  ASSERT_TRUE(backups.list(none));
  EXPECT_EQ(none.backups_size(), 0);
  const auto at = [&](const std::string& name) { return folder_.path() / kBackupFolder / name; };
  ASSERT_TRUE(write_file(at("pilot-19700211T153000Z.rltune-backup"), "nonsense"));
  ASSERT_TRUE(backups.list(none));
  ASSERT_EQ(none.backups_size(), 1);
  EXPECT_EQ(none.backups(0).bytes(), 8U);
  EXPECT_THAT(none.backups(0).trouble(), HasSubstr("no key"));
  ASSERT_TRUE(backup::Key::make_file(folder_.path() / kBackupKey));
  const auto key = backup::find_backup_key(folder_.path() / kBackupKey);
  ASSERT_TRUE(key);
  ASSERT_TRUE(write_file(folder_.path() / "site.yaml", "site"));
  const backup::Manifest manifest{
      .created = "1970-02-11T15:00:00Z",
      .version = "1",
      .name = "pilot",
      .site = "site.yaml",
      .parts = {{.name = "site.yaml", .kind = "file", .size = 4, .sha256 = sha256("site")}}};
  ASSERT_TRUE(backup::pack(manifest, folder_.path(), *key, at("pilot-19700211T150000Z.rltune-backup")));
  ASSERT_TRUE(write_file(at("pilot-19700211T160000Z.rltune-backup.17.part"), "half"));
  v1::BackupsAnswer answer;
  ASSERT_TRUE(backups.list(answer));
  ASSERT_EQ(answer.backups_size(), 2);
  EXPECT_EQ(answer.backups(0).name(), "pilot-19700211T150000Z.rltune-backup");
  EXPECT_EQ(answer.backups(0).trouble(), "");
  EXPECT_EQ(answer.backups(0).parts(), 1U);
  EXPECT_THAT(answer.backups(1).trouble(), HasSubstr("damaged"));
  EXPECT_EQ(answer.newest_age_s(), 3'600.0);
}

}  // namespace
}  // namespace rltune::coredinator
