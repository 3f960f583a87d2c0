#include "rltune/backup/backup.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "example_site.hpp"
#include "names.hpp"
#include "rltune/audit/recorder.hpp"
#include "rltune/base/archive.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/id.hpp"
#include "rltune/base/sha256.hpp"
#include "rltune/configstore/store.hpp"
#include "rltune/historian/decision_log.hpp"
#include "rltune/historian/historian.hpp"
#include "rltune/sqlite/sqlite.hpp"
#include "scratch_folder.hpp"

namespace rltune::backup {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// A checkpoint as docs/formats/checkpoint.md says, that has learnt from decisions up to a time.
void write_checkpoint(const fs::path& file, std::string artifact, TimePoint time) {
  Archive archive = Archive::writer("rltune/online-learner/v2");
  archive.text(artifact);
  for (std::uint64_t number : {1U, 1U, 0U}) archive.value(number);
  auto time_ns = time.time_since_epoch().count();
  archive.value(time_ns);
  std::string rest(100'000, 'x');
  archive.text(rest);
  if (!archive.write(file)) std::abort();
}

// Replaces a learner's checkpoints without a pause: three are there at any moment, and none for long.
class Rotation {
 public:
  Rotation(const fs::path& folder, const std::string& artifact)
      : thread_([this, folder, artifact](const std::stop_token& stop) {
          const auto name = [&](std::uint64_t number) { return folder / std::format("{:012}.checkpoint", number); };
          while (!stop.stop_requested()) {
            const std::uint64_t number = ++written_;
            write_checkpoint(name(number), artifact, WallClock().now());
            if (number > 3) fs::remove(name(number - 3));
          }
        }) {}
  std::uint64_t written() const { return written_; }

 private:
  std::atomic<std::uint64_t> written_ = 0;
  std::jthread thread_;
};

// Writes what a site writes, a thousand times a second: weights before decisions by them, samples, audit lines.
class Load {
 public:
  explicit Load(const fs::path& data)
      : data_(data),
        historian_(
            historian::Historian::open({.folder = data, .batch_wait = 1ms, .maintain_every = 20ms}, tags_).value()),
        decisions_(historian::DecisionLog::open(data / "decisions").value()),
        audit_({.folder = data / "audit", .role = "io", .head_lines = 20}),
        thread_([this](const std::stop_token& stop) {
          while (!stop.stop_requested()) turn();
        }) {}
  std::uint64_t turns() const { return turns_; }

 private:
  void turn() {
    const auto number = ++turns_;
    const TimePoint now = clock_.now();
    if (number % 10 == 1) {
      const std::string onnx = "weights " + std::to_string(number);
      acting_ = sha256(onnx);
      if (!write_file(data_ / "policies" / (acting_ + ".onnx"), onnx)) std::abort();
      if (!write_file(data_ / "policies" / "climate.active", std::string(64, '0') + " " + acting_)) std::abort();
    }
    historian::Decision decision;
    decision.id = make_id(now);
    decision.agent = "climate";
    decision.origin = "policy";
    decision.policy_sha256 = acting_;
    decision.time = decision.wall_time = now;
    decision.reason = std::to_string(number);
    decisions_.append(decision);
    const Sample sample{.tag = 0, .value = static_cast<double>(number), .source_time = now, .received_time = now};
    historian_.append({&sample, 1});
    audit_.post({.action = "test", .target = std::to_string(number)});
    if (number % 50 == 0) (void)decisions_.flush();
    std::this_thread::sleep_for(1ms);
  }

  const std::vector<std::string> tags_{"temperature"};
  fs::path data_;
  WallClock clock_;
  std::string acting_;
  std::atomic<std::uint64_t> turns_ = 0;
  historian::Historian historian_;
  historian::DecisionLog decisions_;
  audit::Recorder audit_;
  std::jthread thread_;
};

class BackupTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(write_file(site_file(), config::example_site()));
    ASSERT_TRUE(write_file(site_folder() / "data" / "mode", "shadow"));
  }
  fs::path site_folder() const { return scratch_.path() / "site"; }
  fs::path site_file() const { return site_folder() / "site.yaml"; }
  fs::path data() const { return site_folder() / "data"; }
  fs::path target() const { return scratch_.path() / "backups"; }
  fs::path back() const { return scratch_.path() / "back"; }
  Result<Created> make() const { return create(site_file(), target(), key_, clock_); }
  // Weights of the site, by content.
  std::string weights(const std::string& onnx) const {
    EXPECT_TRUE(write_file(data() / "policies" / (sha256(onnx) + ".onnx"), onnx));
    return sha256(onnx);
  }

  historian::ScratchFolder scratch_;
  WallClock clock_;
  const Key key_ = Key::parse(std::string(64, 'c')).value();
};

TEST_F(BackupTest, of_a_site_that_writes_on_restores_to_parts_that_agree) {
  std::set<std::string> decided;
  {
    Load load(data());
    const Rotation rotation(data() / "learner" / "climate", weights("artifact"));
    while (load.turns() < 500 || rotation.written() < 10) std::this_thread::sleep_for(5ms);
    for (int round = 0; round < 3; ++round) {
      const std::uint64_t before = load.turns();
      const auto created = make();
      ASSERT_TRUE(created) << created.error().message;
      EXPECT_GT(load.turns(), before) << "nobody waited for it";
      fs::remove_all(back());
      const auto restored = restore(created->file, key_, back());
      ASSERT_TRUE(restored) << restored.error().message;
      EXPECT_GT(restored->agreement.decisions, 0U);
      EXPECT_GT(restored->agreement.databases, 2U);
      EXPECT_GE(restored->agreement.checkpoints, 3U);
      EXPECT_TRUE(restored->agreement.notes.empty()) << restored->agreement.notes.front();
      EXPECT_GT(restored->agreement.audit_lines, 0U);
      EXPECT_EQ(restored->site, back() / "site.yaml");
      EXPECT_EQ(read_file(back() / "data" / "mode").value(), "shadow");
      std::this_thread::sleep_for(1100ms);  // the next one's name differs by its second
    }
  }
  EXPECT_FALSE(fs::exists(data() / "backup-staging")) << "nothing plain stays behind";
  // Decisions are those up to one point in time, none left out.
  const auto all = historian::read_decisions(data() / "decisions", TimePoint::min(), TimePoint::max(), 1'000'000);
  const auto some =
      historian::read_decisions(back() / "data" / "decisions", TimePoint::min(), TimePoint::max(), 1'000'000);
  ASSERT_TRUE(all && some);
  ASSERT_LT(some->size(), all->size());
  for (std::size_t i = 0; i < some->size(); ++i) ASSERT_EQ((*some)[i].reason, (*all)[i].reason);
  // The site goes on where it was restored.
  const Load again(back() / "data");
  while (again.turns() < 10) std::this_thread::sleep_for(5ms);
}

TEST_F(BackupTest, parts_that_do_not_agree_are_not_restored) {
  fs::path lost;
  {
    Load load(data());
    while (load.turns() < 30) std::this_thread::sleep_for(5ms);
  }
  write_checkpoint(data() / "learner" / "climate" / "000000000001.checkpoint", weights("artifact"), TimePoint{});
  for (const auto& entry : fs::directory_iterator(data() / "policies"))
    if (entry.path().extension() == ".onnx" && entry.path().stem() != sha256("artifact")) lost = entry.path();
  const std::string onnx = read_file(lost).value();
  fs::remove(lost);
  const auto created = make();
  ASSERT_TRUE(created) << created.error().message;
  const auto refused = restore(created->file, key_, back());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::mismatch);
  EXPECT_NE(refused.error().message.find(lost.stem().string()), std::string::npos) << refused.error().message;
  EXPECT_FALSE(fs::exists(back()));

  const auto faults = [&](const fs::path& file, std::size_t at) {
    ASSERT_TRUE(write_file(lost, onnx));
    const std::string good = read_file(file).value();
    std::string bad = good;
    bad[at < bad.size() ? at : bad.size() / 2] ^= 1;
    ASSERT_TRUE(write_file(file, bad));
    std::this_thread::sleep_for(1100ms);
    const auto made = make();
    if (made) {  // SQLite itself may refuse to copy
      const auto restored = verify(made->file, key_, scratch_.path() / "verified");
      ASSERT_TRUE(restored) << restored.error().message;
      EXPECT_FALSE(restored->agreement.faults.empty()) << file;
      fs::remove_all(scratch_.path() / "verified");
    }
    ASSERT_TRUE(write_file(file, good));
  };
  for (const auto& entry : fs::directory_iterator(data() / "learner" / "climate")) {
    faults(entry.path(), 5);
    break;
  }
  for (const auto& entry : fs::directory_iterator(data() / "audit" / "io"))
    if (entry.path().filename().string().starts_with("audit-")) faults(entry.path(), 100);
  faults(lost, 3);
}

// Every part is whole; what it speaks of is missing.
TEST_F(BackupTest, says_what_a_checkpoint_and_the_registry_miss) {
  const fs::path checkpoint = data() / "learner" / "climate" / "000000000001.checkpoint";
  write_checkpoint(checkpoint, std::string(64, 'a'), clock_.now());
  const std::string manifest = "manifest", onnx = "onnx";
  const std::string artifact =
      sha256(std::format("{} manifest.yaml\n{} policy.onnx\n", sha256(manifest), sha256(onnx)));
  ASSERT_TRUE(write_file(data() / "artifacts" / artifact / "manifest.yaml", manifest));
  ASSERT_TRUE(write_file(data() / "artifacts" / artifact / "policy.onnx", onnx));
  {
    // docs/formats/registry.md
    const auto registry = sqlite::open_writer(data() / "registry.db", 1U << 20U);
    registry->exec(
        "CREATE TABLE agents(id TEXT); CREATE TABLE versions(agent TEXT, version TEXT, artifact TEXT, state TEXT)");
    registry->exec("INSERT INTO agents VALUES('climate'), ('light')");
    registry->exec(
        std::format("INSERT INTO versions VALUES('climate', '0.0.0', '', 'standby'), ('climate', '1.0.0', '{}', "
                    "'active'), ('light', '0.0.0', '', 'active')",
                    artifact));
  }
  const auto examined = [&] {
    const auto created = make();
    EXPECT_TRUE(created) << created.error().message;
    fs::remove_all(back());
    auto restored = verify(created->file, key_, back());
    fs::remove(created->file);
    return restored->agreement;
  };
  Agreement found = examined();
  EXPECT_EQ(found.versions, 3U);
  ASSERT_EQ(found.faults.size(), 2U);
  EXPECT_NE(found.faults[0].find("continues weights " + std::string(64, 'a')), std::string::npos) << found.faults[0];
  EXPECT_NE(found.faults[1].find("the decision log ends before"), std::string::npos) << found.faults[1];
  fs::remove(checkpoint);
  EXPECT_TRUE(examined().faults.empty());
  ASSERT_TRUE(write_file(data() / "artifacts" / artifact / "policy.onnx", "other"));
  found = examined();
  ASSERT_EQ(found.faults.size(), 1U);
  EXPECT_EQ(found.faults[0], "registry: the artifact of version 1.0.0 of agent climate is not there or not whole");
  ASSERT_TRUE(write_file(data() / "artifacts" / artifact / "policy.onnx", onnx));
  sqlite::open_writer(data() / "registry.db", 1U << 20U)
      ->exec("UPDATE versions SET state = 'retired' WHERE agent = 'light'");
  found = examined();
  ASSERT_EQ(found.faults.size(), 1U);
  EXPECT_EQ(found.faults[0], "registry: agent light has 0 active versions");
}

// What a change of the configuration does while files are copied: branch and files come from one version.
TEST_F(BackupTest, of_a_configuration_that_changes_all_the_time_has_one_version) {
  auto store = configstore::Store::create(site_folder());
  ASSERT_TRUE(store) << store.error().message;
  std::atomic<std::uint64_t> changes = 0;
  const std::jthread author([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const std::string text = std::format("{}# change {}\n", config::example_site(), ++changes);
      const auto version = store->update({{"site.yaml", text}}, {"ada", "again", clock_.now()}, store->head().value());
      if (!version) std::abort();
      std::this_thread::sleep_for(2ms);
    }
  });
  while (changes < 3) std::this_thread::sleep_for(1ms);
  for (int round = 0; round < 5; ++round) {
    const auto created = make();
    ASSERT_TRUE(created) << created.error().message;
    fs::remove_all(back());
    const auto restored = restore(created->file, key_, back());
    ASSERT_TRUE(restored) << restored.error().message;
    fs::remove(created->file);
    EXPECT_EQ(restored->agreement.configuration.size(), 40U);
    for (const std::string& note : restored->agreement.notes) ADD_FAILURE() << note;
  }
  EXPECT_GT(changes, 5U);
}

TEST_F(BackupTest, has_every_file_that_the_configuration_names) {
  ASSERT_TRUE(write_file(site_folder() / "users.yaml", "users:\n  - name: ada\n    password_hash_file: secrets/ada\n"));
  ASSERT_TRUE(write_secret_file(site_folder() / "secrets" / "ada", "hash"));
  const auto created = make();
  ASSERT_TRUE(created) << created.error().message;
  const auto restored = restore(created->file, key_, back());
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(read_file(back() / "secrets" / "ada").value_or("none"), "hash");
  EXPECT_TRUE(fs::exists(back() / "users.yaml"));
}

TEST_F(BackupTest, has_neither_logs_nor_who_is_signed_in) {
  for (const char* file : {"telemetry/logs/00000001.seg", "access/sessions.db", "policies/telemetry/kept"})
    ASSERT_TRUE(write_file(data() / file, "bytes"));
  const auto created = make();
  ASSERT_TRUE(created) << created.error().message;
  ASSERT_TRUE(restore(created->file, key_, back()));
  EXPECT_FALSE(fs::exists(back() / "data/telemetry"));
  EXPECT_FALSE(fs::exists(back() / "data/access"));
  EXPECT_TRUE(fs::exists(back() / "data/policies/telemetry/kept"));
}

TEST_F(BackupTest, a_site_is_checked_where_it_lies_while_it_writes) {
  const std::string sha = weights("artifact");
  {
    const Load load(data());
    while (load.turns() < 50) std::this_thread::sleep_for(5ms);
    const auto found = check_site(site_file());
    ASSERT_TRUE(found) << found.error().message;
    for (const std::string& fault : found->faults) ADD_FAILURE() << fault;
    EXPECT_GT(found->decisions, 0U);
  }
  ASSERT_TRUE(write_file(data() / "policies" / (sha + ".onnx"), "damaged"));
  ASSERT_TRUE(write_file(data() / "rollups.db.damaged-20260102T000000Z", "x"));
  const auto found = check_site(site_file());
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->faults.size(), 1U);
  EXPECT_NE(found->faults[0].find(sha + ".onnx: damaged"), std::string::npos) << found->faults[0];
  ASSERT_EQ(found->notes.size(), 1U);
  EXPECT_NE(found->notes[0].find("rollups.db.damaged-"), std::string::npos) << found->notes[0];
  // Decisions whose weights the site has lost to the disk, and said so, are no fault of what is checked.
  const auto used = [&] {
    const std::string acting = read_file(data() / "policies" / "climate.active").value().substr(65);
    for (const auto& entry : fs::directory_iterator(data() / "policies"))
      if (const std::string stem = entry.path().stem().string();
          entry.path().extension() == ".onnx" && stem != acting && stem != sha)
        return stem;
    return std::string();
  }();
  ASSERT_FALSE(used.empty());
  ASSERT_TRUE(fs::remove(data() / "policies" / (used + ".onnx")));
  EXPECT_EQ(check_site(site_file())->faults.size(), 2U);
  ASSERT_TRUE(write_file(data() / "policies" / (used + ".lost"), "damaged\n"));
  EXPECT_EQ(check_site(site_file())->faults.size(), 1U);
  EXPECT_EQ(check_site(site_file())->notes.size(), 2U);
  // A site that was damaged when it was copied comes back when a person wants that.
  const auto created = make();
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_FALSE(restore(created->file, key_, back()));
  const auto restored = restore(created->file, key_, back(), true);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->agreement.faults.size(), 1U);
  EXPECT_FALSE(fs::exists(back() / "data" / "rollups.db.damaged-20260102T000000Z"));
}

TEST_F(BackupTest, never_goes_over_what_is_there) {
  const auto created = make();
  ASSERT_TRUE(created) << created.error().message;
  ASSERT_TRUE(write_file(back() / "mine", "mine"));
  const auto refused = restore(created->file, key_, back());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_argument);
  EXPECT_EQ(read_file(back() / "mine").value(), "mine");
  fs::remove(back() / "mine");
  EXPECT_TRUE(restore(created->file, key_, back())) << "an empty folder is one to restore to";
}

TEST_F(BackupTest, a_policy_beside_the_site_folder_keeps_its_place) {
  std::string text = config::example_site();
  const std::size_t at = text.find("policy: ");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, text.find('\n', at) - at, "policy: ../policies/climate");
  ASSERT_TRUE(write_file(site_file(), text));
  ASSERT_TRUE(write_file(scratch_.path() / "policies/climate/policy.onnx", "onnx"));
  const auto created = make();
  ASSERT_TRUE(created) << created.error().message;
  const auto restored = restore(created->file, key_, back());
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(restored->site, back() / "site" / "site.yaml");
  EXPECT_EQ(read_file(back() / "policies/climate/policy.onnx").value(), "onnx");
}

TEST_F(BackupTest, the_newest_are_kept) {
  fs::create_directories(target());
  for (const char* name :
       {"pilot-20260101T000000Z", "pilot-20260103T000000Z", "pilot-20260102T000000Z", "pilot-two-20260101T000000Z"})
    ASSERT_TRUE(write_file(target() / (std::string(name) + ".rltune-backup"), "x"));
  ASSERT_TRUE(write_file(target() / "pilot-notes.txt", "x"));
  EXPECT_EQ(list(target()).value().size(), 4U);
  const auto gone = rotate(target(), "pilot", {.newest = 2, .daily = 0, .weekly = 0, .monthly = 0});
  ASSERT_TRUE(gone);
  ASSERT_EQ(gone->size(), 1U);
  EXPECT_EQ((*gone)[0].filename(), "pilot-20260101T000000Z.rltune-backup");
  EXPECT_EQ(list(target()).value().size(), 3U);
}

// Every six hours for three years, and then half a year without one.
TEST(Kept, keeps_days_weeks_and_months_back) {
  const config::BackupRetention rule{.newest = 4, .daily = 7, .weekly = 5, .monthly = 12};
  std::set<std::string> names;
  TimePoint time = parse_rfc3339("2023-05-21T00:00:00Z").value();
  for (int i = 0; i < 3 * 365 * 4; ++i, time += 6h) {
    names.insert(name_of("pilot", time));
    for (const std::string& gone : superfluous(names, rule)) names.erase(gone);
    ASSERT_LE(names.size(), 4U + 7U + 5U + 12U);
  }
  std::vector<std::string> stamps;
  for (const std::string& name : names) stamps.emplace_back(stamp_of(name));
  EXPECT_EQ(stamps,
            (std::vector<std::string>{"20250630T180000Z", "20250731T180000Z", "20250831T180000Z", "20250930T180000Z",
                                      "20251031T180000Z", "20251130T180000Z", "20251231T180000Z", "20260131T180000Z",
                                      "20260228T180000Z", "20260331T180000Z", "20260426T180000Z", "20260430T180000Z",
                                      "20260503T180000Z", "20260510T180000Z", "20260513T180000Z", "20260514T180000Z",
                                      "20260515T180000Z", "20260516T180000Z", "20260517T180000Z", "20260518T180000Z",
                                      "20260519T000000Z", "20260519T060000Z", "20260519T120000Z", "20260519T180000Z"}));
  names.insert(name_of("pilot", time + std::chrono::days(180)));
  EXPECT_EQ(superfluous(names, rule).size(), 4U) << "a pause costs nothing: what came takes one place of each kind";
}

TEST(Kept, one_stays_whatever_the_rule) {
  const std::set<std::string> names{name_of("pilot", parse_rfc3339("2026-01-01T00:00:00Z").value()),
                                    name_of("pilot", parse_rfc3339("2026-01-02T00:00:00Z").value())};
  EXPECT_EQ(superfluous(names, {.newest = 0, .daily = 0, .weekly = 0, .monthly = 0}),
            std::set<std::string>{*names.begin()});
  EXPECT_TRUE(superfluous({}, {}).empty());
}

}  // namespace
}  // namespace rltune::backup
