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
  // Bounded queues, bounded messages, IPv6, quick reconnection. Errors: internal (out of sockets).
  static Result<Socket> make(Context& context, int type);
  // For calls: nothing is queued for a server that is not there.
  static Result<Socket> make_caller(Context& context);
  Socket() = default;
  ~Socket();
  Socket(Socket&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }

  Result<> bind(Context& context, const std::string& endpoint, const Security& security);
  Result<> connect(const std::string& endpoint, const Security& security);
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

// Whether a connecting socket has its peer, as the socket's own thread saw it happen: a peer that went away and was
// replaced between two looks is seen as well.
class PeerWatch {
 public:
  // REQUIRES: `socket` is not connected yet. Errors: internal (out of sockets).
  static Result<PeerWatch> watch(Context& context, Socket& socket);

  bool present() noexcept { return look(), present_; }
  // How often a peer went away.
  std::uint64_t losses() noexcept { return look(), losses_; }
  bool changed() const noexcept { return (events_.get(ZMQ_EVENTS) & ZMQ_POLLIN) != 0; }
  int descriptor() const noexcept { return events_.get(ZMQ_FD); }  // ready (edge-triggered) when it may have changed

 private:
  explicit PeerWatch(Socket events) noexcept : events_(std::move(events)) {}
  void look() noexcept;

  Socket events_;
  bool present_ = false;
  std::uint64_t losses_ = 0;
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

bool is_tcp(const std::string& endpoint) noexcept;
// Makes the folder of a Unix socket, for its owner alone. Errors: io, invalid_argument (too long, unknown scheme).
Result<> prepare_endpoint(const std::string& endpoint);

}  // namespace rltune::bus
