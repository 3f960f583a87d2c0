// The notification protocol against a real datagram socket that plays systemd, and the keeper behind it.
#include "service_manager.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "rltune/keeper/keeper.hpp"

namespace rltune::keeper {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

class ServiceManagerTest : public testing::Test {
 protected:
  ServiceManagerTest() {
    std::string name = (std::filesystem::temp_directory_path() / "rltune-notify-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  }
  ~ServiceManagerTest() override {
    ::close(socket_);
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "RLTUNE_TEST_FOLDER"}) ::unsetenv(name);
    std::filesystem::remove_all(folder_);
  }
  // systemd's end; a path that begins with '@' is an abstract address.
  void listen(const std::string& path) {
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    path.copy(where.sun_path, sizeof where.sun_path - 1);
    if (path[0] == '@') where.sun_path[0] = 0;
    ASSERT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&where),
                     static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size())),
              0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  std::optional<std::string> hear(int patience_ms = 0) {
    pollfd ready{socket_, POLLIN, 0};
    if (::poll(&ready, 1, patience_ms) != 1) return std::nullopt;
    char bytes[4096];
    const ssize_t size = ::recv(socket_, bytes, sizeof bytes, 0);
    return std::string(bytes, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  }
  std::vector<std::string> heard() {
    std::vector<std::string> all;
    while (auto one = hear()) all.push_back(*one);
    return all;
  }

  std::filesystem::path folder_;
  int socket_ = -1;
};

TEST_F(ServiceManagerTest, says_ready_once_and_a_status_when_it_changes) {
  ASSERT_NO_FATAL_FAILURE(listen((folder_ / "notify").string()));
  ServiceManager manager;
  manager.ready();
  manager.ready();
  manager.status("1 of 2 roles healthy");
  manager.status("1 of 2 roles healthy");
  manager.status("2 of 2 roles healthy");
  manager.stopping("signal 15");
  EXPECT_THAT(heard(), ElementsAre("READY=1", "STATUS=1 of 2 roles healthy", "STATUS=2 of 2 roles healthy",
                                   "STOPPING=1\nSTATUS=stopping: signal 15"));
}

// systemd waits for another READY then, and does not count it as an end.
TEST_F(ServiceManagerTest, who_goes_on_as_another_program_reloads) {
  ASSERT_NO_FATAL_FAILURE(listen((folder_ / "notify").string()));
  ServiceManager manager;
  manager.reloading("an upgrade", 12s);
  EXPECT_THAT(heard(), ElementsAre("RELOADING=1\nMONOTONIC_USEC=12000000\nSTATUS=starting again: an upgrade"));
}

TEST_F(ServiceManagerTest, an_abstract_address_is_one_as_well) {
  ASSERT_NO_FATAL_FAILURE(listen("@rltune-notify-" + std::to_string(::getpid())));
  ServiceManager manager;
  manager.ready();
  EXPECT_THAT(heard(), ElementsAre("READY=1"));
}

TEST_F(ServiceManagerTest, the_watchdog_hears_twice_as_often_as_it_asks) {
  ASSERT_NO_FATAL_FAILURE(listen((folder_ / "notify").string()));
  ::setenv("WATCHDOG_USEC", "2000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  ServiceManager manager;
  ASSERT_EQ(manager.watchdog(), 1s);
  for (Duration now = 100s; now < 104s; now += 100ms) manager.alive(now);
  EXPECT_THAT(heard(), ElementsAre("WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"));
}

TEST_F(ServiceManagerTest, a_watchdog_of_somebody_else_is_not_ours) {
  ASSERT_NO_FATAL_FAILURE(listen((folder_ / "notify").string()));
  ::setenv("WATCHDOG_USEC", "2000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  ServiceManager manager;
  EXPECT_FALSE(manager.watchdog());
  manager.alive(100s);
  EXPECT_THAT(heard(), IsEmpty());
}

TEST_F(ServiceManagerTest, the_roles_do_not_inherit_it) {
  ::setenv("NOTIFY_SOCKET", "/run/notify", 1);
  ::setenv("WATCHDOG_USEC", "1", 1);
  const ServiceManager manager;
  EXPECT_EQ(::getenv("NOTIFY_SOCKET"), nullptr);
  EXPECT_EQ(::getenv("WATCHDOG_USEC"), nullptr);
}

TEST_F(ServiceManagerTest, without_systemd_nothing_is_said) {
  ServiceManager manager;
  manager.ready();
  manager.alive(100s);
  EXPECT_FALSE(manager.watchdog());
}

// With the process that keeper_test.cpp makes of this executable as coredinator.
TEST_F(ServiceManagerTest, the_keeper_says_all_of_it) {
  ASSERT_NO_FATAL_FAILURE(listen((folder_ / "notify").string()));
  ::setenv("WATCHDOG_USEC", "200000", 1);
  ::setenv("RLTUNE_TEST_FOLDER", folder_.c_str(), 1);
  const pid_t keeper = ::fork();
  if (keeper == 0) {
    Options options;
    options.coredinator = {"/proc/self/exe", "--gtest_filter=*FakeCoredinator*", "--gtest_also_run_disabled_tests",
                           "--gtest_output="};
    options.run_folder = folder_ / "run";
    const auto summary = run(options);
    ::_exit(summary && !summary->failed ? 0 : 1);
  }
  std::vector<std::string> told;
  int beats = 0;
  while (beats < 5) {
    const auto next = hear(10'000);
    ASSERT_TRUE(next) << "nothing more after " << testing::PrintToString(told);
    if (*next == "WATCHDOG=1")
      ++beats;
    else
      told.push_back(*next);
  }
  EXPECT_THAT(told, ElementsAre("READY=1", "STATUS=2 of 2 roles healthy"));
  ::kill(keeper, SIGTERM);
  int status = 0;
  ::waitpid(keeper, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_THAT(heard(), Contains(StartsWith("STOPPING=1\nSTATUS=stopping: signal 15")));
}

}  // namespace
}  // namespace rltune::keeper
