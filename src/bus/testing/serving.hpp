// A server on a thread of its own, until it goes.
#pragma once

#include <sys/eventfd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "rltune/base/check.hpp"
#include "rltune/base/descriptor.hpp"
#include "rltune/bus/bus.hpp"

namespace rltune::bus {

class Serving {
 public:
  // `set_up`: its handlers.
  Serving(const std::string& endpoint, const std::function<void(Server&)>& set_up) {
    auto server = Server::bind(endpoint);
    RLTUNE_CHECK(server);
    set_up(*server);
    thread_ = std::thread([server = std::move(*server), this]() mutable {
      while (!stop_) server.serve(std::chrono::minutes(1), wake_.get());
    });
  }
  ~Serving() {
    stop_ = true;
    ::eventfd_write(wake_.get(), 1);
    thread_.join();
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

 private:
  std::atomic<bool> stop_{false};
  Descriptor wake_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  std::thread thread_;
};

// What is asked comes back.
inline void serve_echo(Server& server) {
  server.handle("echo", [](const Call&, std::string_view body, std::string& answer) -> Result<> {
    answer = body;
    return {};
  });
}

}  // namespace rltune::bus
