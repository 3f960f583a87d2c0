// The calling side of calls: a socket that queues nothing for a server that is not there, and sees one go away.
// What Client and Caller have in common. Internal.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rltune/base/time.hpp"
#include "rltune/base/trace.hpp"
#include "rltune/v1/envelope.pb.h"
#include "socket.hpp"

namespace rltune::bus {

// A call that is about to be sent; its number is still to be set.
struct OpenCall {
  v1::Envelope envelope;
  trace::Span span;  // empty where it is not traced
};
// On the thread that calls: the call belongs to that thread's trace, and without an id of its own to the call that the
// thread serves.
OpenCall open_call(const std::string& method, const std::string& target, const std::string& correlation_id,
                   std::chrono::milliseconds timeout, TimePoint now);

struct ArrivedAnswer {
  std::uint64_t call = 0;
  Result<std::string> result;
};

class Connection {
 public:
  // Succeeds whether or not somebody listens yet. Errors: as of Client::connect().
  static Result<Connection> open(Context& context, const std::string& endpoint, const Security& security);

  const std::string& endpoint() const noexcept { return endpoint_; }
  bool present() noexcept { return server_.present(); }
  // Somebody is there and has room for a call.
  bool connected() noexcept { return present() && (socket_.get(ZMQ_EVENTS) & ZMQ_POLLOUT) != 0; }
  // How often a server went away: what was sent before is not answered any more.
  std::uint64_t losses() noexcept { return server_.losses(); }

  // False when it found no room.
  bool send(const v1::Envelope& envelope, std::string_view body);
  // The next answer that is here, to whichever call; messages of other shapes are skipped.
  std::optional<ArrivedAnswer> receive();
  // Until the socket is ready for one of `events` (ZMQ_POLLIN, ZMQ_POLLOUT), something happened to the server or
  // `also` is readable. Now and then it returns for nothing.
  void wait(short events, Duration timeout, int also = -1) noexcept;

 private:
  Connection(PeerWatch watch, Socket made, std::string where)
      : server_(std::move(watch)), socket_(std::move(made)), endpoint_(std::move(where)) {}

  PeerWatch server_;  // outlives the socket that it watches
  Socket socket_;
  std::string endpoint_;
};

}  // namespace rltune::bus
