#include "socket.hpp"

#include <format>

#include "context.hpp"
#include "endpoint.hpp"

namespace rltune::bus {
namespace {

constexpr int kQueueMax = 10'000;  // messages a peer; beyond it they are dropped, never kept
constexpr int kLingerMs = 100;     // the last answer still leaves
constexpr int kReconnectMs = 10, kReconnectMaxMs = 100;

std::unexpected<Error> failure(const std::string& endpoint, const char* what) {
  return fail(Errc::io, std::format("cannot {} {}: {}", what, endpoint, zmq_strerror(zmq_errno())));
}

}  // namespace

Result<Socket> Socket::make(Context& context, int type) {
  void* handle = zmq_socket(context.state().handle, type);
  if (handle == nullptr)
    return fail(Errc::internal, std::string("cannot make a bus socket: ") + zmq_strerror(zmq_errno()));
  Socket socket(handle);
  socket.set(ZMQ_SNDHWM, kQueueMax);
  socket.set(ZMQ_RCVHWM, kQueueMax);
  socket.set(ZMQ_LINGER, kLingerMs);
  socket.set(ZMQ_RECONNECT_IVL, kReconnectMs);
  socket.set(ZMQ_RECONNECT_IVL_MAX, kReconnectMaxMs);
  const std::int64_t bytes_max = kMessageBytesMax;
  zmq_setsockopt(handle, ZMQ_MAXMSGSIZE, &bytes_max, sizeof bytes_max);
  return socket;
}

Socket::~Socket() {
  if (handle_ == nullptr) return;
  zmq_close(handle_);
}

void Socket::set(int option, int value) noexcept { zmq_setsockopt(handle_, option, &value, sizeof value); }
void Socket::set(int option, std::string_view value) noexcept {
  zmq_setsockopt(handle_, option, value.data(), value.size());
}

int Socket::get(int option) const noexcept {
  int value = 0;
  std::size_t size = sizeof value;
  zmq_getsockopt(handle_, option, &value, &size);
  return value;
}

Result<> Socket::bind(const std::string& endpoint) {
  if (auto path = prepared_path_of(endpoint); !path) return std::unexpected(path.error());
  if (zmq_bind(handle_, endpoint.c_str()) != 0) return failure(endpoint, "listen at");
  return {};
}

Result<> Socket::connect(const std::string& endpoint) {
  if (auto path = path_of(endpoint); !path) return std::unexpected(path.error());
  if (zmq_connect(handle_, endpoint.c_str()) != 0) return failure(endpoint, "connect to");
  return {};
}

bool Socket::send(std::string_view frame, bool more) noexcept {
  return zmq_send(handle_, frame.data(), frame.size(), ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) >= 0;
}

bool Socket::wait_readable(std::chrono::milliseconds timeout) noexcept {
  if ((get(ZMQ_EVENTS) & ZMQ_POLLIN) != 0) return true;
  zmq_pollitem_t item{handle_, 0, ZMQ_POLLIN, 0};
  return zmq_poll(&item, 1, static_cast<long>(timeout.count())) > 0;
}

bool Frame::receive(Socket& socket) noexcept { return zmq_msg_recv(&message_, socket.handle(), ZMQ_DONTWAIT) >= 0; }

void skip_rest(Socket& socket, Frame& last) noexcept {
  while (last.more() && last.receive(socket)) {
  }
}

}  // namespace rltune::bus
