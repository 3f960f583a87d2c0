// A TestServer in a process of its own, so that a test can stop it (SIGSTOP) or kill it as a machine would be.
// The child counts "Temperature" up by one every 20 ms.
#pragma once

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "test_server.hpp"

namespace rltune::plant {

class ServerProcess {
 public:
  // Forks: no other thread may run in the test at this moment.
  explicit ServerProcess(const TestServerOptions& options) {
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    TestServer server(options);
    for (double value = 0.0;; value += 1.0) {
      server.set("Temperature", value);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  ~ServerProcess() { kill(); }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // Returns once it has stopped: a signal takes its time on a busy machine.
  void hang() const {
    ::kill(pid_, SIGSTOP);
    ::waitpid(pid_, nullptr, WUNTRACED);
  }
  void resume() const { ::kill(pid_, SIGCONT); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
};

}  // namespace rltune::plant
