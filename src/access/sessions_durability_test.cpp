// What of sessions outlives kills, restarts, damage and a full disk.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "rltune/access/sessions.hpp"
#include "rltune/base/damage.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/random.hpp"
#include "rltune/sqlite/sqlite.hpp"
#include "temporary_folder.hpp"

namespace rltune::access {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

const Client kBrowser{.description = "Firefox on Linux", .address = "10.0.0.1"};

class SessionsDurability : public ::testing::Test {
 protected:
  fs::path file() const { return folder_.path() / "sessions.db"; }
  Sessions open() const { return Sessions::open({.file = file()}, now_).value(); }
  // What a process killed at this moment leaves.
  fs::path copy_as_after_a_kill() {
    const auto copy = folder_.path() / std::to_string(++copies_) / "sessions.db";
    fs::create_directories(copy.parent_path());
    for (const char* part : {"", "-wal"})
      if (fs::exists(file().string() + part)) fs::copy_file(file().string() + part, copy.string() + part);
    return copy;
  }
  Sessions as_after_a_kill() { return Sessions::open({.file = copy_as_after_a_kill()}, now_).value(); }
  RefreshOutcome outcome(Sessions& sessions, const std::string& token) const {
    return sessions.refresh(token, "10.0.0.1", now_).value().outcome;
  }
  int rows_of(const char* table) {
    const auto database = sqlite::open_reader(copy_as_after_a_kill());
    return database->execAndGet(std::string("SELECT count(*) FROM ") + table).getInt();
  }

  TemporaryFolder folder_;
  TimePoint now_ = parse_rfc3339("2026-01-02T00:00:00Z").value();
  int copies_ = 0;
};

TEST_F(SessionsDurability, sessions_outlive_a_restart) {
  std::string id, token;
  std::vector<Session> listed;
  {
    Sessions sessions = open();
    const auto begun = sessions.begin("ada", kBrowser, now_).value();
    now_ += 1h;
    token = sessions.refresh(begun.refresh_token, "10.0.0.2", now_)->refresh_token;
    id = begun.id;
    listed = sessions.list("ada", now_);
  }
  Sessions sessions = open();
  EXPECT_TRUE(sessions.active(id, now_));
  EXPECT_EQ(sessions.list("ada", now_), listed);
  EXPECT_EQ(outcome(sessions, token), RefreshOutcome::renewed);
}

TEST_F(SessionsDurability, at_each_step_the_file_says_what_was_answered) {
  Sessions sessions = open();
  const auto begun = sessions.begin("ada", kBrowser, now_).value();
  {
    Sessions after = as_after_a_kill();
    EXPECT_TRUE(after.active(begun.id, now_));
    EXPECT_EQ(outcome(after, begun.refresh_token), RefreshOutcome::renewed);
  }
  const std::string token = sessions.refresh(begun.refresh_token, "", now_)->refresh_token;
  {
    Sessions after = as_after_a_kill();
    EXPECT_EQ(outcome(after, begun.refresh_token), RefreshOutcome::reused);
    EXPECT_EQ(outcome(after, token), RefreshOutcome::unknown);
    EXPECT_EQ(outcome(*std::make_unique<Sessions>(as_after_a_kill()), token), RefreshOutcome::renewed);
  }
  EXPECT_EQ(outcome(sessions, begun.refresh_token), RefreshOutcome::reused);
  EXPECT_FALSE(as_after_a_kill().active(begun.id, now_));
  const auto second = sessions.begin("ada", kBrowser, now_).value();
  ASSERT_TRUE(sessions.end(second.id));
  EXPECT_FALSE(as_after_a_kill().active(second.id, now_));
  const auto third = sessions.begin("ada", kBrowser, now_).value();
  ASSERT_TRUE(sessions.end_all("ada"));
  EXPECT_FALSE(as_after_a_kill().active(third.id, now_));
}

struct Step {
  std::array<char, 43> token;
  std::array<char, 36> ended;
};

// Refreshes one session for ever, and beside it begins and ends others. Each step is told once it was answered.
[[noreturn]] void refresh_until_killed(const fs::path& file, TimePoint now, int pipe) {
  auto sessions = Sessions::open({.file = file}, now);
  std::string token = sessions->begin("ada", kBrowser, now)->refresh_token;
  while (true) {
    const std::string other = sessions->begin("grace", kBrowser, now)->id;
    token = sessions->refresh(token, "", now)->refresh_token;
    if (!sessions->end(other)) ::_exit(1);
    Step step{};
    std::memcpy(step.token.data(), token.data(), step.token.size());
    std::memcpy(step.ended.data(), other.data(), step.ended.size());
    if (::write(pipe, &step, sizeof step) != sizeof step) ::_exit(1);
  }
}

// The steps that were told until a kill, which comes some time after the first `least` of them.
std::vector<Step> steps_of_a_killed_child(const fs::path& file, TimePoint now, std::uint64_t least,
                                          std::uint64_t delay_us) {
  int ends[2];
  if (::pipe(ends) != 0) return {};
  const pid_t child = ::fork();
  if (child == 0) refresh_until_killed(file, now, ends[1]);
  ::close(ends[1]);
  std::vector<Step> steps;
  for (Step step{}; ::read(ends[0], &step, sizeof step) == sizeof step;) {
    steps.push_back(step);
    if (steps.size() != least) continue;
    ::usleep(static_cast<useconds_t>(delay_us));  // anywhere in a step
    ::kill(child, SIGKILL);
  }
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return steps;
}

TEST_F(SessionsDurability, a_kill_brings_back_neither_an_ended_session_nor_a_used_token) {
  Random random(7);
  for (int round = 0; round < 25; ++round) {
    const auto steps = steps_of_a_killed_child(file(), now_, 2 + random.below(8), random.below(3000));
    ASSERT_GE(steps.size(), 2U);
    Sessions sessions = open();
    for (const Step& step : steps) EXPECT_FALSE(sessions.active({step.ended.data(), step.ended.size()}, now_));
    const auto shown = [&](const Step& step) {
      return outcome(sessions, std::string(step.token.data(), step.token.size()));
    };
    // Reused: the refresh after it was on the disk, and its answer was not told any more.
    const auto last = shown(steps.back());
    EXPECT_TRUE(last == RefreshOutcome::renewed || last == RefreshOutcome::reused);
    EXPECT_EQ(shown(steps[steps.size() - 2]),
              last == RefreshOutcome::renewed ? RefreshOutcome::reused : RefreshOutcome::unknown);
    EXPECT_LE(sessions.list("grace", now_).size(), 1U + static_cast<unsigned>(round));
    ASSERT_TRUE(sessions.end_all("grace") && sessions.end_all("ada"));
  }
}

// A file system without room, for this process.
class FullDisk {
 public:
  FullDisk() {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit none{0, limit_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &limit_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit limit_{};
};

TEST_F(SessionsDurability, a_full_disk_lets_nobody_back_in) {
  Sessions sessions = open();
  const auto begun = sessions.begin("ada", kBrowser, now_).value(),
             other = sessions.begin("ada", kBrowser, now_).value();
  std::optional<FullDisk> full(std::in_place);
  const auto refreshed = sessions.refresh(other.refresh_token, "", now_);
  const auto ended = sessions.end(begun.id);
  const auto another = sessions.begin("ada", kBrowser, now_);
  full.reset();
  EXPECT_FALSE(refreshed);
  ASSERT_FALSE(another);
  EXPECT_EQ(another.error().code, Errc::no_space) << another.error().message;
  ASSERT_FALSE(ended);
  EXPECT_TRUE(ended.error().message.contains("refused from now on")) << ended.error().message;
  EXPECT_FALSE(sessions.active(begun.id, now_));
  EXPECT_EQ(outcome(sessions, begun.refresh_token), RefreshOutcome::unknown);
  EXPECT_EQ(outcome(sessions, other.refresh_token), RefreshOutcome::renewed) << "what was not taken is good still";
  EXPECT_FALSE(as_after_a_kill().active(begun.id, now_)) << "it was made up for with the next change";
}

TEST_F(SessionsDurability, a_full_disk_keeps_nobody_out_who_is_in) {
  const std::string over = open().begin("ada", kBrowser, now_)->id;
  now_ += 11h;
  const std::string id = open().begin("ada", kBrowser, now_)->id;
  now_ += 1h;
  const FullDisk full;
  const Sessions sessions = open();
  EXPECT_TRUE(sessions.active(id, now_));
  EXPECT_FALSE(sessions.active(over, now_));
}

TEST_F(SessionsDurability, what_is_over_leaves_the_file) {
  Sessions sessions = open();
  std::string token = sessions.begin("ada", kBrowser, now_)->refresh_token;
  for (int i = 0; i < 3; ++i) token = sessions.refresh(token, "", now_)->refresh_token;
  EXPECT_EQ(rows_of("sessions"), 1);
  EXPECT_EQ(rows_of("tokens"), 4);
  now_ += 12h;
  ASSERT_TRUE(sessions.begin("grace", kBrowser, now_));
  EXPECT_EQ(rows_of("sessions"), 1);
  EXPECT_EQ(rows_of("tokens"), 1);
  now_ += 12h;
  EXPECT_TRUE(as_after_a_kill().list("grace", now_).empty());
}

TEST_F(SessionsDurability, shorter_lives_bind_sessions_that_there_are) {
  const std::string id = open().begin("ada", kBrowser, now_)->id;
  now_ += 2h;
  EXPECT_TRUE(open().active(id, now_));
  EXPECT_FALSE(Sessions::open({.file = file(), .idle_life = 2h}, now_)->active(id, now_));
  EXPECT_FALSE(open().active(id, now_)) << "it was over, and stays so";
}

TEST_F(SessionsDurability, the_file_is_its_owners_alone_and_holds_no_token) {
  Sessions sessions = open();
  const auto begun = sessions.begin("ada", kBrowser, now_).value();
  const auto refreshed = sessions.refresh(begun.refresh_token, "", now_).value();
  for (const char* part : {"", "-wal"}) {
    const fs::path one = file().string() + part;
    EXPECT_EQ(fs::status(one).permissions(), fs::perms::owner_read | fs::perms::owner_write) << one;
    const std::string bytes = read_file(one).value();
    EXPECT_FALSE(bytes.contains(begun.refresh_token) || bytes.contains(refreshed.refresh_token)) << one;
  }
  EXPECT_TRUE(read_file(file().string() + "-wal")->contains(begun.id)) << "it was the right file";
}

TEST_F(SessionsDurability, one_process_has_the_file) {
  std::optional<Sessions> sessions = open();
  const auto second = Sessions::open({.file = file()}, now_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::timeout);
  EXPECT_TRUE(second.error().message.contains("another process")) << second.error().message;
  sessions.reset();
  EXPECT_TRUE(Sessions::open({.file = file()}, now_));
}

TEST_F(SessionsDurability, a_file_of_a_later_version_is_refused_and_stays) {
  const auto id = open().begin("ada", kBrowser, now_)->id;
  sqlite::open_writer(file(), 1U << 20U)->exec("PRAGMA user_version = 2");
  const auto refused = Sessions::open({.file = file()}, now_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported) << refused.error().message;
  EXPECT_TRUE(put_aside_in(folder_.path()).empty());
  sqlite::open_writer(file(), 1U << 20U)->exec("PRAGMA user_version = 1");
  EXPECT_TRUE(open().active(id, now_));
}

TEST_F(SessionsDurability, a_damaged_file_is_put_aside_and_everybody_signs_in_again) {
  const auto begun = open().begin("ada", kBrowser, now_).value();
  std::string bytes = read_file(file()).value();
  for (std::size_t i = 4096; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31);
  ASSERT_TRUE(write_file(file(), bytes));
  Sessions sessions = open();
  EXPECT_FALSE(sessions.active(begun.id, now_));
  EXPECT_TRUE(sessions.begin("ada", kBrowser, now_));
  EXPECT_EQ(put_aside_in(folder_.path()).size(), 1U);
}

}  // namespace
}  // namespace rltune::access
