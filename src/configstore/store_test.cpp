#include "rltune/configstore/store.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "rltune/base/file.hpp"
#include "rltune/base/random.hpp"
#include "temporary_folder.hpp"

namespace rltune::configstore {
namespace {

const TimePoint kTime = *parse_rfc3339("2026-11-21T18:00:00Z");

Entry by(const std::string& author, const std::string& reason = "because") { return {author, reason, kTime}; }

std::string lying(const std::filesystem::path& folder, const std::string& name = "site.yaml") {
  return read_file(folder / name).value_or("none");
}

TEST(Store, a_change_is_a_version_with_author_reason_and_time) {
  const TemporaryFolder folder;
  auto store = Store::create(folder.path());
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(*store->head(), "");
  EXPECT_TRUE(store->log(10)->empty());
  const auto first = store->update({{"site.yaml", "a: 1\n"}}, by("ada", "start\nof all"), "");
  ASSERT_TRUE(first) << first.error().message;
  const auto second = store->update({{"site.yaml", "a: 2\n"}, {"users.yaml", "u\n"}}, by("grace"), first->id);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(lying(folder.path()), "a: 2\n");
  const auto log = store->log(10);
  ASSERT_EQ(log->size(), 2U);
  EXPECT_EQ((*log)[0].id, second->id);
  EXPECT_EQ((*log)[0].files, (std::vector<std::string>{"site.yaml", "users.yaml"}));
  EXPECT_EQ((*log)[1].entry.author, "ada");
  EXPECT_EQ((*log)[1].entry.reason, "start\nof all");
  EXPECT_EQ((*log)[1].entry.time, kTime);
  EXPECT_EQ(store->files("HEAD~1")->at("site.yaml"), "a: 1\n");
  EXPECT_EQ(store->files(first->id.substr(0, 8))->size(), 1U);
  EXPECT_EQ(store->log(1)->size(), 1U);
}

TEST(Store, a_file_goes_where_an_edit_says_so) {
  const TemporaryFolder folder;
  auto store = Store::create(folder.path());
  const auto first = store->update({{"site.yaml", "a\n"}, {"users.yaml", "u\n"}}, by("ada"), "");
  ASSERT_TRUE(store->update({{"users.yaml", std::nullopt}}, by("ada"), first->id));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "users.yaml"));
  EXPECT_EQ(store->files("HEAD")->size(), 1U);
}

TEST(Store, what_is_no_change_or_has_no_author_is_refused) {
  const TemporaryFolder folder;
  EXPECT_EQ(Store::open(folder.path()).error().code, Errc::not_found);
  auto store = Store::create(folder.path());
  ASSERT_TRUE(store->update({{"site.yaml", "a\n"}}, by("ada"), ""));
  const auto refused = [&](const std::string& name, const Entry& entry) {
    const auto done = store->update({{name, "b\n"}}, entry, "HEAD");
    return done ? std::string() : done.error().message;
  };
  EXPECT_EQ(refused("site.yaml", by("")), "a change needs its author's name, without < and >");
  EXPECT_NE(refused("site.yaml", by("ada <root>")), "");
  EXPECT_EQ(refused("site.yaml", by("ada", " \n")), "a change needs a reason");
  EXPECT_NE(refused("site.yaml", by("ada", "password: hunter2")).find("holds a secret"), std::string::npos);
  for (const char* name : {"../site.yaml", "/etc/x.yaml", ".yaml", "a/b.yaml", "site.sh", "..yaml"})
    EXPECT_NE(refused(name, by("ada")).find("cannot be the name"), std::string::npos) << name;
  EXPECT_NE(store->update({{"site.yaml", "a\n"}}, by("ada"), "HEAD").error().message.find("nothing changes"),
            std::string::npos);
  for (const char* version : {"HEAD~9", "ffffffff", "main@{0}", "", "HEAD^{tree}", "--all"})
    EXPECT_EQ(store->find(version).error().code, Errc::not_found) << version;
  EXPECT_EQ(store->log(10)->size(), 1U);
}

TEST(Store, a_change_that_was_made_for_an_older_version_is_refused_where_it_would_undo_another) {
  const TemporaryFolder folder;
  auto store = Store::create(folder.path());
  const auto first = store->update({{"site.yaml", "a\n"}}, by("ada"), "");
  ASSERT_TRUE(store->update({{"site.yaml", "b\n"}}, by("ada"), first->id));
  const auto late = store->update({{"site.yaml", "c\n"}}, by("grace"), first->id);
  EXPECT_EQ(late.error().code, Errc::mismatch);
  EXPECT_EQ(lying(folder.path()), "b\n");
  EXPECT_TRUE(store->update({{"users.yaml", "u\n"}}, by("grace"), first->id)) << "another file";
  EXPECT_EQ(store->files("HEAD")->at("site.yaml"), "b\n");
}

// Each object in turn is cut short or has a byte changed.
TEST(Store, an_object_that_the_disk_damaged_is_told_and_nothing_hangs) {
  const TemporaryFolder folder;
  auto store = Store::create(folder.path());
  std::string text;
  for (int i = 0; i < 300; ++i) text += "line: " + std::to_string(i * i) + "\n";
  ASSERT_TRUE(store->update({{"site.yaml", text}}, by("ada"), ""));
  int damaged = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path() / "config.git" / "objects")) {
    if (!entry.is_regular_file()) continue;
    const std::string good = *read_file(entry.path());
    std::string flipped = good;
    flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 0x40);
    for (const std::string& bad : {good.substr(0, good.size() / 2), good.substr(0, 2), std::string(), flipped}) {
      ASSERT_TRUE(write_file(entry.path(), bad));
      const auto again = Store::open(folder.path());
      EXPECT_FALSE(again && again->files("HEAD") && again->log(5)) << entry.path() << " " << bad.size();
      ++damaged;
    }
    ASSERT_TRUE(write_file(entry.path(), good));
  }
  EXPECT_EQ(damaged, 12) << "blob, tree and commit";
  EXPECT_TRUE(Store::open(folder.path())->files("HEAD"));
}

// Runs `work` in a process of its own, which the caller may kill.
template <typename Work>
pid_t in_child(Work work) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  work();
  ::_exit(0);
}

TEST(Store, writers_at_the_same_time_lose_nothing) {
  constexpr int kWriters = 4, kChanges = 8;
  const TemporaryFolder folder;
  std::vector<pid_t> children;
  for (int writer = 0; writer < kWriters; ++writer)
    children.push_back(in_child([&] {
      auto store = Store::create(folder.path());
      std::string base;
      for (int i = 0; store && i < kChanges; ++i) {
        const auto done = store->update({{"w" + std::to_string(writer) + ".yaml", std::to_string(i) + "\n"}},
                                        by("writer" + std::to_string(writer)), base);
        if (!done) ::_exit(1);
        base = done->id;
      }
      if (!store) ::_exit(2);
    }));
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  const auto store = Store::open(folder.path());
  EXPECT_EQ(store->log(1000)->size(), static_cast<std::size_t>(kWriters * kChanges));
  const auto files = store->files("HEAD");
  ASSERT_EQ(files->size(), static_cast<std::size_t>(kWriters));
  for (const auto& [name, text] : *files) {
    EXPECT_EQ(text, std::to_string(kChanges - 1) + "\n");
    EXPECT_EQ(lying(folder.path(), name), text);
  }
}

// A child writes version after version, both files of one number; it is killed anywhere.
TEST(Store, a_kill_at_any_point_leaves_branch_and_files_at_one_version) {
  constexpr int kRounds = 40;
  const TemporaryFolder folder;
  Random random(7);
  int last = 1, interrupted = 0;
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(Store::create(folder.path())->update({{"site.yaml", "1\n"}, {"users.yaml", "1\n"}}, by("ada", "1"), ""));
  const auto lasts = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
  for (int round = 0; round < kRounds; ++round) {
    const pid_t child = in_child([&] {
      for (int number = last + 1;; ++number) {
        auto store = Store::create(folder.path());
        const auto head = store ? store->head() : Result<std::string>("");
        const std::string text = std::to_string(number) + "\n";
        if (!store || !store->update({{"site.yaml", text}, {"users.yaml", text}}, by("ada", text), *head)) ::_exit(1);
      }
    });
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(2 * static_cast<std::uint64_t>(lasts.count()))));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child could not write: " << WEXITSTATUS(status);
    interrupted += std::filesystem::exists(folder.path() / "config.git" / "pending") ? 1 : 0;

    const auto store = Store::open(folder.path());
    ASSERT_TRUE(store) << store.error().message;
    const auto log = store->log(100'000);
    ASSERT_TRUE(log) << log.error().message;
    const auto files = store->files("HEAD");
    ASSERT_TRUE(files) << files.error().message;
    EXPECT_EQ(files->at("site.yaml"), files->at("users.yaml"));
    EXPECT_EQ(lying(folder.path()), files->at("site.yaml"));
    EXPECT_EQ(lying(folder.path(), "users.yaml"), files->at("site.yaml"));
    const int number = std::stoi(files->at("site.yaml"));
    EXPECT_EQ(log->size(), static_cast<std::size_t>(number)) << "every version is there, each once";
    EXPECT_GE(number, last);
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "config.git" / "pending"));
    last = number;
  }
  EXPECT_GT(last, 3) << "too slow a machine: the kills hit nothing";
  EXPECT_GT(interrupted, 1) << "no kill hit the middle of a change";
}

TEST(Store, what_a_person_changed_after_a_kill_is_not_overwritten) {
  const TemporaryFolder folder;
  auto store = Store::create(folder.path());
  const auto first = store->update({{"site.yaml", "a\n"}}, by("ada"), "");
  const auto second = store->update({{"site.yaml", "b\n"}}, by("ada"), first->id);
  // As if the kill had come after the branch had moved, and a person had then edited the file.
  ASSERT_TRUE(write_file(folder.path() / "config.git" / "pending", "commit " + second->id + "\nfile site.yaml 00ff\n"));
  ASSERT_TRUE(write_file(folder.path() / "site.yaml", "by hand\n"));
  ASSERT_TRUE(Store::open(folder.path()));
  EXPECT_EQ(lying(folder.path()), "by hand\n");
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "config.git" / "pending"));
}

TEST(Store, a_difference_reads_as_people_know_it) {
  EXPECT_EQ(*unified_diff("site.yaml", "a: 1\n", "a: 1\n"), "");
  const auto diff = unified_diff("site.yaml", "a: 1\nb: 2\n", "a: 1\nb: 3\n");
  ASSERT_TRUE(diff);
  EXPECT_NE(diff->find("--- a/site.yaml\n+++ b/site.yaml\n@@ -1,2 +1,2 @@\n a: 1\n-b: 2\n+b: 3\n"), std::string::npos)
      << *diff;
}

}  // namespace
}  // namespace rltune::configstore
