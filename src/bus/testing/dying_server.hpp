// A server in a process of its own that answers whoever does not want to be held, and is killed when so many are held.
// Made before the test has threads.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include <array>
#include <string>

#include "rltune/v1/envelope.pb.h"

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
  static std::string receive(void* socket) {
    std::array<char, 4'096> bytes{};
    const int size = zmq_recv(socket, bytes.data(), bytes.size(), 0);
    return {bytes.data(), size < 0 ? 0U : static_cast<std::size_t>(size)};
  }
  [[noreturn]] static void serve(const std::string& endpoint, int held_max) {
    void* socket = zmq_socket(zmq_ctx_new(), ZMQ_ROUTER);
    if (zmq_bind(socket, endpoint.c_str()) != 0) ::_exit(1);
    for (int held = 0; held < held_max;) {
      const std::string caller = receive(socket), head = receive(socket), body = receive(socket);
      held += body == "hold" ? 1 : 0;
      if (body == "hold") continue;
      v1::Envelope envelope;
      envelope.ParseFromString(head);
      v1::Answer answer;
      answer.set_call(envelope.call());
      zmq_send(socket, caller.data(), caller.size(), ZMQ_SNDMORE);
      const std::string answer_head = answer.SerializeAsString();
      zmq_send(socket, answer_head.data(), answer_head.size(), ZMQ_SNDMORE);
      zmq_send(socket, body.data(), body.size(), 0);
    }
    ::kill(::getpid(), SIGKILL);
    ::_exit(1);
  }

  pid_t process_;
};

}  // namespace rltune::bus
