#include "rltune/access/used_codes.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::access {
namespace {

class UsedCodesTest : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "codes.db"; }
  UsedCodes open() const { return UsedCodes::open(file()).value(); }

  TemporaryFolder folder_;
};

TEST_F(UsedCodesTest, a_code_is_taken_once_and_none_before_it_any_more) {
  UsedCodes codes = open();
  EXPECT_EQ(codes.take("ada", 100), true);
  EXPECT_EQ(codes.take("ada", 100), false);
  EXPECT_EQ(codes.take("ada", 99), false);
  EXPECT_EQ(codes.take("ada", 101), true);
  EXPECT_EQ(codes.take("grace", 100), true) << "another's code is another code";
}

TEST_F(UsedCodesTest, what_a_killed_process_took_stays_taken) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto codes = UsedCodes::open(file());
    const bool taken = codes && codes->take("ada", 100).value_or(false);
    if (taken) ::kill(::getpid(), SIGKILL);
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  UsedCodes codes = open();
  EXPECT_EQ(codes.take("ada", 100), false);
  EXPECT_EQ(codes.take("ada", 101), true);
}

TEST_F(UsedCodesTest, of_all_who_show_it_at_once_one_is_let_in) {
  std::atomic<int> let_in = 0;
  {
    UsedCodes codes = open();
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        if (codes.take("ada", 7) == true) ++let_in;
      });
  }
  EXPECT_EQ(let_in, 1);
}

TEST_F(UsedCodesTest, the_file_is_its_owners_alone_and_a_damaged_one_is_put_aside) {
  EXPECT_EQ(open().take("ada", 100), true);
  struct stat status{};
  ASSERT_EQ(::stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ASSERT_TRUE(write_file(file(), "no database at all, but as long as one might be"));
  EXPECT_EQ(open().take("ada", 100), true);
}

TEST_F(UsedCodesTest, two_who_have_the_file_see_what_the_other_took) {
  UsedCodes codes = open();
  UsedCodes other = open();
  EXPECT_EQ(other.take("ada", 5), true);
  EXPECT_EQ(codes.take("ada", 5), false);
}

}  // namespace
}  // namespace rltune::access
