#include "spawn.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <format>
#include <string_view>

#include "rltune/base/check.hpp"
#include "rltune/keeper/keeper.hpp"

extern char** environ;

namespace rltune::keeper {
namespace {

constexpr int kPipeBytes = 1 << 20;

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

std::string_view name_of(std::string_view assignment) { return assignment.substr(0, assignment.find('=')); }

std::vector<std::string> merged_environment(const std::vector<std::string>& ours) {
  std::vector<std::string> result = ours;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const auto same = [&](const std::string& own) { return name_of(own) == name_of(*entry); };
    if (std::ranges::none_of(ours, same)) result.emplace_back(*entry);
  }
  return result;
}

struct Prepared {
  std::vector<char*> command, environment;
  const Program* program;
  pid_t parent;
  int output, failure;
};

[[noreturn]] void give_up(int failure) {
  const int code = errno;
  [[maybe_unused]] const ssize_t written = ::write(failure, &code, sizeof code);
  ::_exit(127);
}

void set_priorities(const Program& program) {
  if (program.nice != 0) ::setpriority(PRIO_PROCESS, 0, program.nice);
  if (program.oom_score_adjust == 0) return;
  const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  std::array<char, 16> text{};
  const int size = std::snprintf(text.data(), text.size(), "%d", program.oom_score_adjust);
  [[maybe_unused]] const ssize_t written = ::write(file, text.data(), static_cast<std::size_t>(size));
  ::close(file);
}

// Between fork and exec: system calls alone.
[[noreturn]] void become(const Prepared& prepared) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != prepared.parent) ::_exit(127);  // the keeper died before the line above
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(input, STDIN_FILENO);
  ::dup2(prepared.output, STDOUT_FILENO);
  ::dup2(prepared.output, STDERR_FILENO);
  if (prepared.program->inherited >= 0) ::dup2(prepared.program->inherited, kKeeperDescriptor);
  // Whatever we inherited ourselves stays ours.
  ::close_range(prepared.program->inherited >= 0 ? kKeeperDescriptor + 1 : kKeeperDescriptor, ~0U, CLOSE_RANGE_CLOEXEC);
  set_priorities(*prepared.program);
  ::execve(prepared.command[0], prepared.command.data(), prepared.environment.data());
  give_up(prepared.failure);
}

std::unexpected<Error> exec_failure(const std::string& program, int code) {
  const Errc errc = code == ENOENT ? Errc::not_found : code == EACCES ? Errc::denied : Errc::io;
  return fail(errc, std::format("cannot start {}: {}", program, std::strerror(code)));
}

// Above the numbers that a child's own descriptors take, so that no dup2() overwrites one.
int lift(int descriptor) {
  const int lifted = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 16);
  ::close(descriptor);
  return lifted;
}

}  // namespace

Result<Process> spawn(const Program& program) {
  RLTUNE_CHECK(!program.command.empty());
  std::array<int, 2> output{}, failure{};
  if (::pipe2(output.data(), O_CLOEXEC) != 0) return fail(Errc::io, "cannot make a pipe");
  if (::pipe2(failure.data(), O_CLOEXEC) != 0) {
    for (const int end : output) ::close(end);
    return fail(Errc::io, "cannot make a pipe");
  }
  output[1] = lift(output[1]);
  failure[1] = lift(failure[1]);
  // A keeper that cannot keep up never blocks a role: the role's lines are lost instead.
  ::fcntl(output[1], F_SETPIPE_SZ, kPipeBytes);
  ::fcntl(output[1], F_SETFL, O_WRONLY | O_NONBLOCK);
  ::fcntl(output[0], F_SETFL, O_RDONLY | O_NONBLOCK);

  const std::vector<std::string> environment = merged_environment(program.environment);
  const Prepared prepared{
      pointers(program.command), pointers(environment), &program, ::getpid(), output[1], failure[1]};
  const pid_t pid = ::fork();
  if (pid == 0) become(prepared);
  ::close(output[1]);
  ::close(failure[1]);
  int code = pid < 0 ? errno : 0;
  if (pid > 0) [[maybe_unused]]
    const ssize_t size = ::read(failure[0], &code, sizeof code);  // ends at exec
  ::close(failure[0]);
  if (code == 0) return Process{pid, output[0]};
  ::close(output[0]);
  return exec_failure(program.command[0], code);
}

}  // namespace rltune::keeper
