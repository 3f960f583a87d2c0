// A WebSocket (RFC 6455) of a Server: messages in both directions over one connection, in the clear or through TLS.
//
// Threads: every function of a Socket may be called from any thread, also after its client or the server has gone, and
//          none waits. Events come on the server's threads, of one socket one at a time, and must not wait either.
// Memory:  what waits to be sent is bounded by SocketLimits; a client that reads slowly fills its own queue alone.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "rltune/base/time.hpp"
#include "rltune/webserver/request.hpp"

namespace rltune::webserver {

struct SocketLimits {
  std::size_t most = 200;                                  // beyond it they get 503
  std::size_t message_bytes_max = std::size_t{64} << 10U;  // received; a larger one ends the socket with 1009
  std::size_t queued_bytes_max = std::size_t{1} << 20U;    // of one socket, not sent yet
  std::size_t queued_messages_max = 1'000;                 // the same
  Duration idle_timeout = std::chrono::seconds(30);        // pings after half of it; without any answer it ends
};

enum class MessageKind { text, binary };

class Socket {
 public:
  virtual ~Socket() = default;

  // False: the queue is full, or the socket has ended; nothing was taken. A text must be UTF-8. What is sent inside
  // SocketRoute::accept goes out behind the answer to the upgrade.
  virtual bool send(std::string message, MessageKind kind = MessageKind::text) = 0;

  // Nothing can be sent any more; what is queued still goes out, for two seconds at most. Codes: RFC 6455, 7.4; 1000 is
  // the ordinary end, 1008 what the server does not allow. Of the reason 123 bytes are kept.
  virtual void close(std::uint16_t code = 1000, std::string reason = {}) = 0;
};

struct SocketEvents {
  std::function<void(std::string_view message, MessageKind kind)> on_message;
  // Once, as the last one. 1006: the connection was lost, or nothing came for the idle timeout; 1001: the server ended,
  // and the event comes on the thread that ended it.
  std::function<void(std::uint16_t code, std::string_view reason)> on_close;
};

// Looks at an upgrade that is well formed (its Origin, its token), and keeps the socket or refuses with a response. A
// socket that was refused stays closed. Must not wait.
using SocketHandler =
    std::function<std::expected<SocketEvents, Response>(const Request&, const std::shared_ptr<Socket>&)>;

struct SocketRoute {
  std::string path;  // as it stands: "/v1/live"
  SocketHandler accept;
};

}  // namespace rltune::webserver
