// A ZeroMQ socket with an owner, and the settings that all of ours share.
#pragma once

#include <zmq.h>

#include <chrono>
#include <string>
#include <string_view>

#include "rltune/bus/bus.hpp"

namespace rltune::bus {

class Socket {
 public:
  // Bounded queues, bounded messages, quick reconnection. Errors: internal (out of sockets).
  static Result<Socket> make(Context& context, int type);
  Socket() = default;
  ~Socket();
  Socket(Socket&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }

  Result<> bind(const std::string& endpoint);
  Result<> connect(const std::string& endpoint);
  void set(int option, int value) noexcept;
  void set(int option, std::string_view value) noexcept;
  int get(int option) const noexcept;
  bool send(std::string_view frame, bool more) noexcept;  // never blocks
  bool wait_readable(std::chrono::milliseconds timeout) noexcept;
  void* handle() const noexcept { return handle_; }

 private:
  explicit Socket(void* handle) noexcept : handle_(handle) {}
  void* handle_ = nullptr;
};

// One received frame; its bytes live as long as it, or until it is received into again.
class Frame {
 public:
  Frame() noexcept { zmq_msg_init(&message_); }
  ~Frame() { zmq_msg_close(&message_); }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  bool receive(Socket& socket) noexcept;  // never blocks
  bool more() const noexcept { return zmq_msg_more(&message_) != 0; }
  std::string_view bytes() noexcept {
    return {static_cast<const char*>(zmq_msg_data(&message_)), zmq_msg_size(&message_)};
  }

 private:
  zmq_msg_t message_;
};

// Throws away the rest of a message of more frames than its format has.
void skip_rest(Socket& socket, Frame& last) noexcept;

}  // namespace rltune::bus
