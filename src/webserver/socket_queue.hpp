// What a socket's owner holds: the messages that wait, and the way to the connection as long as there is one.
#pragma once

#include <deque>
#include <mutex>
#include <optional>

#include "rltune/webserver/socket.hpp"
#include "shared.hpp"

namespace rltune::webserver {

class SocketQueue : public Socket {
 public:
  struct Outgoing {
    std::string text;
    MessageKind kind;
  };
  struct Close {
    std::uint16_t code;
    std::string reason;
  };

  SocketQueue(const SocketLimits& limits, std::shared_ptr<Connections> connections)
      : limits_(limits), connections_(std::move(connections)) {}

  bool send(std::string message, MessageKind kind) override;
  void close(std::uint16_t code, std::string reason) override;

  // For the connection. From open() on it is woken where there is something to do.
  void open(std::weak_ptr<Connection> connection);
  // The next to send; its bytes count until it is released by sent().
  std::optional<Outgoing> next();
  void sent(std::size_t bytes);
  // Whether it is to be closed once nothing waits.
  std::optional<Close> closing() const;
  void end();

 private:
  void wake(std::unique_lock<std::mutex> lock);

  const SocketLimits limits_;
  const std::shared_ptr<Connections> connections_;
  mutable std::mutex mutex_;
  std::weak_ptr<Connection> connection_;
  std::deque<Outgoing> waiting_;
  std::size_t bytes_ = 0;
  bool woken_ = false, ended_ = false;
  std::optional<Close> closing_;
};

}  // namespace rltune::webserver
