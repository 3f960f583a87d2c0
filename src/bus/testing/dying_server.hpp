// A server in a process of its own that answers whoever does not want to be held, and is killed when so many are held.
// Made before the test has threads.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "listener.hpp"

namespace rltune::bus {

class DyingServer {
 public:
  DyingServer(const std::string& endpoint, int held_max) : process_(::fork()) {
    if (process_ == 0) serve(endpoint, held_max);
  }
  ~DyingServer() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  DyingServer(const DyingServer&) = delete;
  DyingServer& operator=(const DyingServer&) = delete;

 private:
  [[noreturn]] static void serve(const std::string& endpoint, int held_max) {
    auto listener = Listener::bind(endpoint);
    if (!listener) ::_exit(1);
    pollfd item{listener->descriptor(), POLLIN, 0};
    ::poll(&item, 1, -1);
    auto caller = listener->accept();
    item.fd = caller->descriptor();
    for (int held = 0; held < held_max;) {
      ::poll(&item, 1, -1);
      if (caller->read() == Stream::Arrived::gone) ::_exit(1);
      while (const auto call = caller->next()) {
        held += call->body == "hold" ? 1 : 0;
        if (call->body != "hold") caller->send({.call = call->call, .head = {}, .body = call->body});
      }
    }
    ::kill(::getpid(), SIGKILL);
    ::_exit(1);
  }

  pid_t process_;
};

}  // namespace rltune::bus
