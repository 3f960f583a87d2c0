#include "program.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <format>

namespace rltune::upgrade {
namespace {

constexpr std::size_t kOutputMax = 64 * 1024;

int status_of(int raw) { return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw); }

[[noreturn]] void become(std::vector<char*>& words, int output) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execv(words[0], words.data());
  ::_exit(127);
}

// Until the other end is closed. False when the time is up first.
bool collect(int input, std::string& output, std::chrono::steady_clock::time_point deadline) {
  std::array<char, 4096> bytes;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd ready{input, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) == 0) return false;
    const ssize_t count = ::read(input, bytes.data(), bytes.size());
    if (count == 0 || (count < 0 && errno != EINTR)) return true;
    if (count > 0 && output.size() < kOutputMax) output.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

Result<Ended> run_program(const std::vector<std::string>& command, std::chrono::milliseconds patience) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(Errc::io, "cannot make a pipe");
  const pid_t pid = ::fork();
  if (pid == 0) become(words, ends[1]);
  ::close(ends[1]);
  Ended ended;
  const bool in_time = pid > 0 && collect(ends[0], ended.output, std::chrono::steady_clock::now() + patience);
  ::close(ends[0]);
  if (pid < 0) return fail(Errc::io, std::format("cannot start {}: {}", command[0], std::strerror(errno)));
  if (!in_time) ::kill(pid, SIGKILL);
  int raw = 0;
  ::waitpid(pid, &raw, 0);
  if (!in_time) return fail(Errc::timeout, command[0] + " does not end");
  ended.status = status_of(raw);
  return ended;
}

bool as_owner(const std::filesystem::path& folder, const std::function<bool()>& work) {
  struct stat about{};
  if (::stat(folder.c_str(), &about) != 0) return false;
  if (::geteuid() != 0 || about.st_uid == 0) return work();
  const pid_t pid = ::fork();
  if (pid == 0) {
    const bool theirs = ::setgroups(0, nullptr) == 0 && ::setgid(about.st_gid) == 0 && ::setuid(about.st_uid) == 0;
    ::_exit(theirs && work() ? 0 : 1);
  }
  int raw = 0;
  return pid > 0 && ::waitpid(pid, &raw, 0) == pid && raw == 0;
}

}  // namespace rltune::upgrade
