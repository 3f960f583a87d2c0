#include "backup_operations.hpp"

#include <gmock/gmock.h>

#include "gateway_fixture.hpp"

namespace rltune::gateway {
namespace {

constexpr const char* kBackup = "pilot-20260102T030000Z.rltune-backup";

class BackupOperations : public GatewayTest {
 protected:
  json body_of(const HttpAnswer& answer, int status) {
    EXPECT_EQ(answer.status, status) << answer.body;
    return json::parse(answer.body, nullptr, false);
  }
  json make(const std::string& path, const std::string& who, int status) {
    return body_of(call("POST /api/v1/backups" + path, token(who), R"({"reason":"before the harvest"})"), status);
  }
};

TEST_F(BackupOperations, those_that_lie_there_are_listed_with_the_age_of_the_newest) {
  v1::BackupInfo& backup = *backups_.backups.add_backups();
  backup.set_name(kBackup);
  backup.set_bytes(4'711);
  backup.set_created_unix_ns(1'800'000'000'000'000'000);
  backups_.backups.add_backups()->set_trouble("it was made with another key");
  const std::string oscar = token("operator");
  EXPECT_FALSE(body_of(call("GET /api/v1/backups", oscar), 200).contains("newest_age_s"));
  backups_.backups.set_newest_age_s(60.5);
  const json list = body_of(call("GET /api/v1/backups", oscar), 200);
  EXPECT_EQ(asked(), "records.Backups coredinator.records by operator");
  EXPECT_EQ(list["newest_age_s"], 60.5);
  EXPECT_EQ(list["backups"][0]["name"], kBackup);
  EXPECT_EQ(list["backups"][0]["created"], "2027-01-15T08:00:00Z");
  EXPECT_FALSE(list["backups"][1].contains("created"));
  EXPECT_EQ(call("GET /api/v1/backups", token("viewer")).status, 403);
}

TEST_F(BackupOperations, one_is_ordered_and_asked_for_while_it_is_made) {
  EXPECT_EQ(make("", "operator", 403)["status"], 403);
  const json begun = make("", "engineer", 202);
  EXPECT_EQ(asked(), "coredinator.OrderBackup coredinator by engineer engineer:create::before the harvest");
  EXPECT_EQ(begun["state"], "running");
  EXPECT_FALSE(begun.contains("backup") || begun.contains("bytes"));

  backups_.job.set_id("0199");
  backups_.job.set_verb("create");
  backups_.job.set_state("running");
  backups_.job.set_stage("packing");
  backups_.job.set_bytes(5);
  backups_.job.set_bytes_total(10);
  const json running = body_of(call("GET /api/v1/backups/jobs/0199", token("operator")), 200);
  EXPECT_EQ(asked(), "coredinator.BackupJob coredinator by operator 0199");
  EXPECT_EQ(running["stage"], "packing");
  EXPECT_EQ(running["bytes_total"], 10);
  EXPECT_EQ(make("", "engineer", 409)["detail"], "another backup is made or verified");
  EXPECT_EQ(call("GET /api/v1/backups/jobs/nothing", token("operator")).status, 404);
}

TEST_F(BackupOperations, one_is_verified_by_its_name) {
  EXPECT_EQ(make(std::string("/") + kBackup + "/verifications", "engineer", 202)["verb"], "verify");
  EXPECT_EQ(asked(), std::string("coredinator.OrderBackup coredinator by engineer engineer:verify:") + kBackup +
                         ":before the harvest");
  const HttpAnswer wrong =
      call(std::string("POST /api/v1/backups/") + kBackup + "/verifications", token("engineer"), "{}");
  EXPECT_EQ(body_of(wrong, 422)["errors"][0]["pointer"], "/reason");
  backups_.job.set_id("0199");
  backups_.job.set_verb("verify");
  backups_.job.set_state("done");
  backups_.job.set_backup(kBackup);
  backups_.job.add_faults("registry: agent light has 0 active versions");
  const json done = body_of(call("GET /api/v1/backups/jobs/0199", token("operator")), 200);
  EXPECT_EQ(done["faults"].size(), 1U);
  EXPECT_EQ(done["backup"], kBackup);
}

}  // namespace
}  // namespace rltune::gateway
