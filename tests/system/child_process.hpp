// A program under test as a child process: started with arguments, read line by line, signalled, waited for. It
// dies with the test.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "rltune/base/free_port.hpp"

namespace rltune::testing {

using rltune::free_port;

class ChildProcess {
 public:
  // The first argument is the program's path. Its stdout is read by read_line(), its stderr goes to `stderr_file`
  // or with the test's own.
  explicit ChildProcess(std::vector<std::string> arguments, const std::string& stderr_file = {}) {
    int pipe_ends[2] = {-1, -1};
    if (::pipe2(pipe_ends, O_CLOEXEC) != 0) return;
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::dup2(pipe_ends[1], STDOUT_FILENO);
      if (!stderr_file.empty()) {
        const int file = ::open(stderr_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
        ::dup2(file, STDERR_FILENO);
      }
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(pipe_ends[1]);
    stdout_ = pipe_ends[0];
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() {
    signal(SIGKILL);
    wait(std::chrono::seconds(10));
    if (stdout_ >= 0) ::close(stdout_);
  }

  pid_t pid() const noexcept { return pid_; }
  void signal(int number) const noexcept {
    if (pid_ > 0 && !status_) ::kill(pid_, number);
  }

  // Stops it, and says when it stood: a signal takes its time on a busy machine.
  std::chrono::system_clock::time_point hang() const {
    signal(SIGSTOP);
    ::waitpid(pid_, nullptr, WUNTRACED);
    return std::chrono::system_clock::now();
  }

  // A line of stdout without its end; nothing when the time is up or stdout ends.
  std::optional<std::string> read_line(std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (true) {
      if (const std::size_t end = buffer_.find('\n'); end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return line;
      }
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      pollfd ready{stdout_, POLLIN, 0};
      if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return std::nullopt;
      char bytes[4096];
      const ssize_t count = ::read(stdout_, bytes, sizeof bytes);
      if (count <= 0) return std::nullopt;
      buffer_.append(bytes, static_cast<std::size_t>(count));
    }
  }

  // The exit status, 128 + the signal that ended it, or nothing while it runs.
  std::optional<int> wait(std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (pid_ > 0 && !status_) {
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) == pid_)
        status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      else if (std::chrono::steady_clock::now() >= deadline)
        break;
      else
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return status_;
  }

 private:
  pid_t pid_ = -1;
  int stdout_ = -1;
  std::string buffer_;
  std::optional<int> status_;
};

}  // namespace rltune::testing
