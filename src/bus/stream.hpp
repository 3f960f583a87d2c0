// One connection of those who call and those who serve, a Unix socket. Nothing here waits: who owns it sleeps on its
// descriptor. Internal.
//
// Threads: one may read() and take next() while another one send()s or flush()es.
#pragma once

#include <optional>
#include <string>

#include "message_reader.hpp"
#include "rltune/base/descriptor.hpp"

namespace rltune::bus {

class Stream {
 public:
  explicit Stream(Descriptor socket) noexcept : socket_(std::move(socket)) {}
  // Nothing where nobody listens now.
  static std::optional<Stream> connect(const std::string& path) noexcept;

  // What has arrived, a bounded part of it at a time. `gone`: the other side ended.
  enum class Arrived { something, nothing, gone };
  Arrived read();
  // Valid until read().
  std::optional<Message> next() noexcept { return reader_.next(); }
  // What came last is no message, and nothing behind it will be.
  bool broken() const noexcept { return reader_.broken(); }

  // Written as far as it goes now; the rest is kept for flush(). `no_room`: others wait already, and it was not taken.
  enum class Sent { taken, no_room, gone };
  Sent send(const Message& message);
  // False when the other side is gone.
  bool flush();
  // Something is kept: flush() when the descriptor can be written.
  bool unsent() const noexcept { return written_ < kept_.size(); }

  int descriptor() const noexcept { return socket_.get(); }

 private:
  Descriptor socket_;
  MessageReader reader_;
  std::string kept_;
  std::size_t written_ = 0;  // of what is kept
};

}  // namespace rltune::bus
