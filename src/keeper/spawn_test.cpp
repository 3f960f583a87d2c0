#include "spawn.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rltune::keeper {
namespace {

std::string output_of(const Process& process) {
  std::string text;
  std::array<char, 4096> bytes{};
  while (true) {
    pollfd ready{process.output, POLLIN, 0};
    ::poll(&ready, 1, 5000);
    const ssize_t size = ::read(process.output, bytes.data(), bytes.size());
    if (size <= 0) break;
    text.append(bytes.data(), static_cast<std::size_t>(size));
  }
  ::close(process.output);
  ::waitpid(process.pid, nullptr, 0);
  return text;
}

Process shell(const std::string& script, Program program = {}) {
  program.command = {"/bin/sh", "-c", script};
  auto process = spawn(program);
  EXPECT_TRUE(process) << process.error().message;
  return process.value_or(Process{});
}

TEST(Spawn, both_outputs_are_captured) { EXPECT_EQ(output_of(shell("echo one; echo two >&2")), "one\ntwo\n"); }

TEST(Spawn, its_environment_is_ours_and_what_it_was_given) {
  ::setenv("RLTUNE_TEST_KEPT", "kept", 1);
  ::setenv("RLTUNE_TEST_CHANGED", "old", 1);
  Program program;
  program.environment = {"RLTUNE_TEST_CHANGED=new"};
  EXPECT_EQ(output_of(shell("echo $RLTUNE_TEST_KEPT $RLTUNE_TEST_CHANGED", program)), "kept new\n");
}

TEST(Spawn, a_program_that_is_not_there_is_named) {
  Program program;
  program.command = {"/nonexistent/rltune-io"};
  const auto process = spawn(program);
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().code, Errc::not_found);
  EXPECT_THAT(process.error().message, testing::HasSubstr("rltune-io"));
}

TEST(Spawn, priorities_are_set_before_it_runs) {
  Program program;
  program.nice = 19;
  program.oom_score_adjust = 500;
  EXPECT_EQ(output_of(shell("cut -d' ' -f19 /proc/$$/stat; cat /proc/$$/oom_score_adj", program)), "19\n500\n");
}

TEST(Spawn, it_leads_a_group_of_its_own) {
  EXPECT_EQ(output_of(shell("test $(cut -d' ' -f5 /proc/$$/stat) = $$ && echo own")), "own\n");
}

TEST(Spawn, no_descriptor_of_ours_leaks) {
  EXPECT_EQ(output_of(shell("ls /proc/self/fd | grep -v -x -e 0 -e 1 -e 2 -e 3 | wc -l")), "0\n");
}

}  // namespace
}  // namespace rltune::keeper
