// What stays of a backup that was cut short: nothing that counts as one.
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <format>

#include "example_site.hpp"
#include "rltune/backup/backup.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/random.hpp"
#include "rltune/base/sha256.hpp"
#include "scratch_folder.hpp"
#include "victim.hpp"

namespace rltune::backup {
namespace {

namespace fs = std::filesystem;
using historian::Victim;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;

constexpr std::size_t kBytes = 3U << 20U;  // that cannot be compressed

class CutShortTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(write_file(site_file(), config::example_site()));
    Random random(1);
    std::string bytes(kBytes, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.below(256));
    ASSERT_TRUE(write_file(data() / "policies" / (sha256(bytes) + ".onnx"), bytes));
    fs::create_directories(target());
  }
  fs::path site_file() const { return scratch_.path() / "site" / "site.yaml"; }
  fs::path data() const { return scratch_.path() / "site" / "data"; }
  fs::path target() const { return scratch_.path() / "backups"; }
  Result<Created> make(const TellProgress& tell = {}) const {
    return create(site_file(), target(), key_, WallClock(), tell);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(target())) found.push_back(entry.path().filename());
    return found;
  }

  historian::ScratchFolder scratch_;
  const Key key_ = Key::parse(std::string(64, 'c')).value();
};

TEST_F(CutShortTest, progress_grows_to_what_there_is) {
  std::vector<Progress> told;
  ASSERT_TRUE(make([&](const Progress& progress) { told.push_back(progress); }));
  ASSERT_GE(told.size(), 4U);
  EXPECT_EQ(told.front().stage, "copying");
  EXPECT_EQ(told.back().stage, "packing");
  EXPECT_EQ(told.back().bytes, told.back().bytes_total);
  EXPECT_GT(told.back().bytes, kBytes);
  for (std::size_t i = 1; i < told.size(); ++i)
    EXPECT_TRUE(told[i].stage != told[i - 1].stage || told[i].bytes >= told[i - 1].bytes) << i;
}

// A disk of 2 MiB; where none may be mounted the kernel refuses what goes beyond, as a full disk does.
TEST_F(CutShortTest, on_a_full_disk_none_is_made_and_nothing_stays) {
  Victim child([&](const Victim::Report& report) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{2U << 20U, RLIM_INFINITY};
    if (::mount("rltune", target().c_str(), "tmpfs", 0, "size=2m") != 0) ::setrlimit(RLIMIT_FSIZE, &small);
    const auto made = make();
    report(names().size() + 1);
    ::umount2(target().c_str(), MNT_DETACH);
    ::_exit(made ? 1 : made.error().code == Errc::no_space || made.error().code == Errc::io ? 0 : 2);
  });
  EXPECT_EQ(child.join(), 0);
  EXPECT_EQ(child.last_report(), 1U) << "the folder is empty";
  EXPECT_FALSE(fs::exists(data() / "backup-staging"));
  EXPECT_TRUE(make());
}

TEST_F(CutShortTest, one_that_was_killed_counts_as_none_and_goes_with_a_later_one) {
  Victim child([&](const Victim::Report&) {
    (void)make([](const Progress& progress) {
      if (progress.stage == "packing" && progress.bytes > kBytes / 2) ::raise(SIGKILL);
    });
  });
  EXPECT_EQ(child.join(), 128 + SIGKILL);
  ASSERT_THAT(names(), ElementsAre(EndsWith(".part")));
  const fs::path left = target() / names().front();
  EXPECT_THAT(list(target()).value(), IsEmpty());
  EXPECT_TRUE(fs::exists(data() / "backup-staging"));

  auto made = make();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(fs::exists(left)) << "somebody may be at work on it";
  EXPECT_FALSE(fs::exists(data() / "backup-staging"));
  fs::last_write_time(left, fs::file_time_type::clock::now() - std::chrono::hours(2));
  fs::rename(made->file, target() / "pilot-20200101T000000Z.rltune-backup");  // the next one's second may be the same
  made = make();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_FALSE(fs::exists(left));
  EXPECT_TRUE(verify_beside(site_file(), made->file, key_));
  EXPECT_FALSE(fs::exists(data() / "backup-staging")) << "nothing plain stays";
}

TEST_F(CutShortTest, a_backup_is_no_part_of_another_one) {
  const auto first = make();
  ASSERT_TRUE(first);
  fs::rename(first->file, data() / "pilot-20200101T000000Z.rltune-backup");
  const auto second = make();
  ASSERT_TRUE(second);
  for (const Part& part : second->manifest.parts) EXPECT_FALSE(part.name.ends_with(".rltune-backup")) << part.name;
}

TEST(Progress, what_was_told_is_read_and_nonsense_is_none) {
  const historian::ScratchFolder scratch;
  const fs::path file = scratch.path() / "progress.json";
  EXPECT_EQ(read_progress(file).error().code, Errc::not_found);
  ProgressFile tell(file);
  tell({.stage = "copying", .bytes = 5});
  EXPECT_EQ(read_progress(file)->bytes, 5U);
  tell({.stage = "done", .backup = "pilot", .faults = {"one"}});
  EXPECT_EQ(read_progress(file)->backup, "pilot");
  EXPECT_THAT(read_progress(file)->faults, ElementsAre("one"));
  for (const char* text : {"", "[]", "{\"stage\": 3}", "nonsense"}) {
    ASSERT_TRUE(write_file(file, text));
    EXPECT_EQ(read_progress(file).error().code, Errc::parse) << text;
  }
}

}  // namespace
}  // namespace rltune::backup
