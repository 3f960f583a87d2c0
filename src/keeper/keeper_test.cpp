// The keeper with real processes: this executable itself plays coredinator, shells play the roles.
#include "rltune/keeper/keeper.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>

#include "rltune/base/file.hpp"
#include "rltune/v1/supervision.pb.h"
#include "time_limit.hpp"

namespace rltune::keeper {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

void ask(const v1::KeeperRequest& request) {
  const std::string bytes = request.SerializeAsString();
  ::send(kKeeperDescriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

v1::KeeperNotice hear() {
  std::array<char, 65536> bytes;
  v1::KeeperNotice notice;
  const ssize_t size = ::recv(kKeeperDescriptor, bytes.data(), bytes.size(), 0);
  if (size <= 0) ::_exit(0);
  notice.ParseFromArray(bytes.data(), static_cast<int>(size));
  return notice;
}

void ask_for_role(const std::string& name, int order) {
  const std::string folder = ::getenv("RLTUNE_TEST_FOLDER");
  v1::KeeperRequest request;
  v1::RoleSpec& role = *request.mutable_spawn()->mutable_role();
  role.set_name(name);
  role.set_order(order);
  for (const std::string& word : {std::string("/bin/sh"), std::string("-c"),
                                  "trap 'echo " + name + " >>" + folder + "/stopped; exit 0' TERM; echo $$ >>" +
                                      folder + "/" + name + "; echo here; while :; do sleep 0.02; done"})
    role.add_command(word);
  ask(request);
}

// Not a test: the process that the tests below start as coredinator.
TEST(DISABLED_FakeCoredinator, plays) {
  ::fcntl(kKeeperDescriptor, F_SETFL, 0);
  if (::getenv("RLTUNE_TEST_REFUSES") != nullptr) ::_exit(2);
  std::ofstream(std::string(::getenv("RLTUNE_TEST_FOLDER")) + "/coredinator", std::ios::app) << ::getpid() << "\n";
  const std::map<std::string, int> roles{{"io", 1}, {"agent", 2}};
  v1::KeeperRequest request;
  request.mutable_children();
  ask(request);
  v1::KeeperRequest status;
  status.mutable_status()->set_ready(::getenv("RLTUNE_TEST_NEVER_READY") == nullptr);
  status.mutable_status()->set_text("2 of 2 roles healthy");
  ask(status);
  while (true) {
    const v1::KeeperNotice notice = hear();
    if (notice.has_exited()) ask_for_role(notice.exited().name(), roles.at(notice.exited().name()));
    if (!notice.has_children()) continue;
    if (std::filesystem::exists(std::string(::getenv("RLTUNE_TEST_FOLDER")) + "/restart")) {
      v1::KeeperRequest restart;
      restart.mutable_shutdown()->set_reason("as the test wishes");
      restart.mutable_shutdown()->set_restart(true);
      restart.mutable_shutdown()->set_ready_within_s(2.5);
      ask(restart);
    }
    std::set<std::string> running;
    for (const auto& child : notice.children().children()) running.insert(child.name());
    for (const auto& [name, order] : roles)
      if (!running.contains(name)) ask_for_role(name, order);
  }
}

std::vector<pid_t> pids_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<pid_t> pids;
  for (pid_t pid = 0; in >> pid;) pids.push_back(pid);
  return pids;
}

constexpr int kAskedToRestart = 42, kAskedBySignal = 43;  // how these tests' keeper tells it

bool gone(pid_t pid) { return ::kill(pid, 0) != 0; }

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit = 10s) {
  const auto end = steady_clock::now() + limit;
  while (!condition()) {
    if (steady_clock::now() > end) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

class KeeperTest : public testing::Test {
 protected:
  KeeperTest() {
    std::string name = (std::filesystem::temp_directory_path() / "rltune-keeper-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    ::setenv("RLTUNE_TEST_FOLDER", folder_.c_str(), 1);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // what a killed keeper leaves comes here, and is waited for
  }
  ~KeeperTest() override {
    if (keeper_ > 0) ::kill(keeper_, SIGKILL);
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
    ::unsetenv("RLTUNE_TEST_REFUSES");
    ::unsetenv("RLTUNE_TEST_NEVER_READY");
    std::filesystem::remove_all(folder_);
  }

  void start(std::chrono::milliseconds ready_within = 0ms) {
    keeper_ = ::fork();
    if (keeper_ != 0) return;
    ::dup2(::open((folder_ / "stderr").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
    Options options;
    options.coredinator = {"/proc/self/exe", "--gtest_filter=*FakeCoredinator*", "--gtest_also_run_disabled_tests",
                           "--gtest_output="};
    options.run_folder = folder_ / "run";
    options.ready_within = ready_within;
    const auto summary = run(options);
    if (summary && summary->restart && summary->ready)
      ::_exit(summary->ready_within_s == 2.5 ? kAskedToRestart : kAskedBySignal);
    ::_exit(summary && !summary->failed ? 0 : 1);
  }
  bool running() {
    return eventually([&] { return pids_in(folder_ / "io").size() == 1 && pids_in(folder_ / "agent").size() == 1; });
  }
  int wait_for_keeper() {
    int status = 0;
    ::waitpid(keeper_, &status, 0);
    keeper_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::filesystem::path folder_;
  pid_t keeper_ = 0;
};

TEST_F(KeeperTest, asked_to_start_again_it_stops_everything_and_says_so) {
  start();
  ASSERT_TRUE(running());
  const auto roles = {pids_in(folder_ / "io")[0], pids_in(folder_ / "agent")[0]};
  std::ofstream(folder_ / "restart") << "now";
  // The fake looks for the wish when it starts.
  ::kill(pids_in(folder_ / "coredinator")[0], SIGKILL);
  EXPECT_EQ(wait_for_keeper(), kAskedToRestart);
  for (const pid_t pid : roles) EXPECT_TRUE(gone(pid));
}

TEST_F(KeeperTest, a_signal_asks_for_the_same_and_a_second_one_kills_nobody) {
  start();
  ASSERT_TRUE(running());
  ::kill(keeper_, SIGUSR1);
  ::kill(keeper_, SIGUSR1);
  EXPECT_EQ(wait_for_keeper(), kAskedBySignal);
}

TEST_F(KeeperTest, whoever_is_not_ready_in_time_ends_as_failed) {
  ::setenv("RLTUNE_TEST_NEVER_READY", "1", 1);
  start(400ms);
  ASSERT_TRUE(running());
  EXPECT_EQ(wait_for_keeper(), 1);
}

TEST_F(KeeperTest, whoever_was_ready_in_time_goes_on) {
  start(200ms);
  ASSERT_TRUE(running());
  std::this_thread::sleep_for(600ms);
  EXPECT_FALSE(gone(keeper_));
}

TEST_F(KeeperTest, stops_the_highest_order_first_and_leaves_nobody) {
  start();
  ASSERT_TRUE(running());
  ::kill(keeper_, SIGTERM);
  EXPECT_EQ(wait_for_keeper(), 0);
  EXPECT_EQ(*read_file(folder_ / "stopped"), "agent\nio\n");
  EXPECT_TRUE(gone(pids_in(folder_ / "io")[0]));
  EXPECT_TRUE(gone(pids_in(folder_ / "coredinator")[0]));
  EXPECT_EQ(*read_file(folder_ / "run" / "logs" / "io.log"), "here\n");
}

TEST_F(KeeperTest, a_role_killed_runs_again_within_a_second) {
  start();
  ASSERT_TRUE(running());
  const auto killed = steady_clock::now();
  ::kill(pids_in(folder_ / "agent")[0], SIGKILL);
  ASSERT_TRUE(eventually([&] { return pids_in(folder_ / "agent").size() == 2; }));
  EXPECT_LT(steady_clock::now() - killed, time_limit(1s));
}

TEST_F(KeeperTest, coredinator_killed_comes_back_and_the_roles_run_on) {
  start();
  ASSERT_TRUE(running());
  ::kill(pids_in(folder_ / "coredinator")[0], SIGKILL);
  ASSERT_TRUE(eventually([&] { return pids_in(folder_ / "coredinator").size() == 2; }));
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(pids_in(folder_ / "io").size(), 1U);
  EXPECT_FALSE(gone(pids_in(folder_ / "io")[0]));
  // It hears of deaths again.
  ::kill(pids_in(folder_ / "io")[0], SIGKILL);
  EXPECT_TRUE(eventually([&] { return pids_in(folder_ / "io").size() == 2; }));
}

TEST_F(KeeperTest, killed_itself_it_takes_everybody_along) {
  start();
  ASSERT_TRUE(running());
  const pid_t io = pids_in(folder_ / "io")[0], agent = pids_in(folder_ / "agent")[0],
              coredinator = pids_in(folder_ / "coredinator")[0];
  ::kill(keeper_, SIGKILL);
  keeper_ = 0;
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  EXPECT_TRUE(gone(io) && gone(agent) && gone(coredinator));
}

TEST_F(KeeperTest, a_coredinator_that_refuses_ends_the_run_as_failed) {
  ::setenv("RLTUNE_TEST_REFUSES", "1", 1);
  start();
  EXPECT_EQ(wait_for_keeper(), 1);
}

TEST_F(KeeperTest, told_twice_it_kills) {
  start();
  ASSERT_TRUE(running());
  const pid_t io = pids_in(folder_ / "io")[0];
  ::kill(io, SIGSTOP);  // will not answer SIGTERM
  ::kill(keeper_, SIGTERM);
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(folder_ / "stopped"); }));
  ::kill(keeper_, SIGTERM);
  EXPECT_EQ(wait_for_keeper(), 0);
  EXPECT_TRUE(gone(io));
}

}  // namespace
}  // namespace rltune::keeper
