// A child process that a test kills: it reports numbers through a pipe, the parent reads what arrived.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <thread>

namespace rltune::historian {

class Victim {
 public:
  using Report = std::function<void(std::uint64_t)>;

  // Runs `work` in the child until it returns or is killed. REQUIRES: no other thread runs in this process.
  explicit Victim(const std::function<void(const Report&)>& work) {
    int ends[2];
    if (::pipe(ends) != 0) std::abort();
    child_ = ::fork();
    if (child_ == 0) {
      ::close(ends[0]);
      work([&](std::uint64_t number) {
        if (::write(ends[1], &number, sizeof number) != sizeof number) ::_exit(2);
      });
      ::_exit(0);
    }
    ::close(ends[1]);
    pipe_ = ends[0];
  }
  ~Victim() {
    kill();
    ::close(pipe_);
  }

  void kill_after(std::chrono::microseconds wait) {
    std::this_thread::sleep_for(wait);
    kill();
  }
  // Lets the child end by itself; its exit status.
  int join() {
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  // The last number that was reported before the end; 0 for none. REQUIRES: the child has ended.
  std::uint64_t last_report() {
    std::uint64_t last = 0, number = 0;
    while (::read(pipe_, &number, sizeof number) == sizeof number) last = number;
    return last;
  }

 private:
  void kill() {
    if (child_ <= 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = -1;
  }
  pid_t child_ = -1;
  int pipe_ = -1;
};

}  // namespace rltune::historian
