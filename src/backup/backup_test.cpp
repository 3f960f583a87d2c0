#include "rltune/backup/backup.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "example_site.hpp"
#include "rltune/audit/recorder.hpp"
#include "rltune/base/archive.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/id.hpp"
#include "rltune/base/sha256.hpp"
#include "rltune/historian/decision_log.hpp"
#include "rltune/historian/historian.hpp"
#include "scratch_folder.hpp"

namespace rltune::backup {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// Writes what a site writes, as fast as it can: weights before decisions by them, checkpoints, samples, audit lines.
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
      Archive archive = Archive::writer("test/v1");
      archive.value(turns_count_);
      const auto name = std::format("{:012}.checkpoint", number);
      if (!archive.write(data_ / "learner" / "climate" / name)) std::abort();
      if (number > 30) fs::remove(data_ / "learner" / "climate" / std::format("{:012}.checkpoint", number - 30));
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
  }

  const std::vector<std::string> tags_{"temperature"};
  fs::path data_;
  WallClock clock_;
  std::string acting_;
  std::uint64_t turns_count_ = 0;
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

  historian::ScratchFolder scratch_;
  WallClock clock_;
  const Key key_ = Key::parse(std::string(64, 'c')).value();
};

TEST_F(BackupTest, of_a_site_that_writes_on_restores_to_parts_that_agree) {
  std::set<std::string> decided;
  {
    Load load(data());
    while (load.turns() < 500) std::this_thread::sleep_for(5ms);
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
      EXPECT_GT(restored->agreement.checkpoints, 0U);
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
  fs::path weights;
  {
    Load load(data());
    while (load.turns() < 30) std::this_thread::sleep_for(5ms);
  }
  for (const auto& entry : fs::directory_iterator(data() / "policies"))
    if (entry.path().extension() == ".onnx") weights = entry.path();
  const std::string onnx = read_file(weights).value();
  fs::remove(weights);
  const auto created = make();
  ASSERT_TRUE(created) << created.error().message;
  const auto refused = restore(created->file, key_, back());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::mismatch);
  EXPECT_NE(refused.error().message.find(weights.stem().string()), std::string::npos) << refused.error().message;
  EXPECT_FALSE(fs::exists(back()));

  const auto faults = [&](const fs::path& file, std::size_t at) {
    ASSERT_TRUE(write_file(weights, onnx));
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
  faults(weights, 3);
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
  const auto gone = keep_newest(target(), "pilot", 2);
  ASSERT_TRUE(gone);
  ASSERT_EQ(gone->size(), 1U);
  EXPECT_EQ((*gone)[0].filename(), "pilot-20260101T000000Z.rltune-backup");
  EXPECT_EQ(list(target()).value().size(), 3U);
}

}  // namespace
}  // namespace rltune::backup
