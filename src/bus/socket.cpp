#include "socket.hpp"

#include <cstring>
#include <format>

#include "context.hpp"

namespace rltune::bus {
namespace {

constexpr int kQueueMax = 10'000;  // messages a peer; beyond it they are dropped, never kept
constexpr int kLingerMs = 100;     // the last answer still leaves
constexpr int kReconnectMs = 10, kReconnectMaxMs = 100;

constexpr const char* kNoKeys = ": TCP needs CURVE keys; give them, or use a Unix socket";

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

Result<Socket> Socket::make_caller(Context& context) {
  auto socket = make(context, ZMQ_DEALER);
  if (!socket) return socket;
  socket->set(ZMQ_IMMEDIATE, 1);
  socket->set(ZMQ_LINGER, 0);
  return socket;
}

Socket::~Socket() {
  if (handle_ == nullptr) return;
  zmq_socket_monitor(handle_, nullptr, 0);  // libzmq leaks an event of a closing socket that nobody receives any more
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

Result<> Socket::bind(Context& context, const std::string& endpoint, const Security& security) {
  if (auto done = prepare_endpoint(endpoint); !done) return done;
  if (is_tcp(endpoint)) {
    if (security.own.secret_key.empty()) return fail(Errc::denied, endpoint + kNoKeys);
    if (auto done = context.state().admit(endpoint, security.clients); !done) return done;
    set(ZMQ_IPV6, 1);
    set(ZMQ_CURVE_SERVER, 1);
    set(ZMQ_CURVE_SECRETKEY, security.own.secret_key);
    set(ZMQ_ZAP_DOMAIN, endpoint);
  }
  if (zmq_bind(handle_, endpoint.c_str()) != 0) return failure(endpoint, "listen at");
  return {};
}

Result<> Socket::connect(const std::string& endpoint, const Security& security) {
  if (is_tcp(endpoint)) {
    if (security.own.secret_key.empty() || security.server_key.empty()) return fail(Errc::denied, endpoint + kNoKeys);
    set(ZMQ_IPV6, 1);
    set(ZMQ_CURVE_PUBLICKEY, security.own.public_key);
    set(ZMQ_CURVE_SECRETKEY, security.own.secret_key);
    set(ZMQ_CURVE_SERVERKEY, security.server_key);
  }
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

Result<PeerWatch> PeerWatch::watch(Context& context, Socket& socket) {
  const std::string name = std::format("inproc://rltune.watch.{}", socket.handle());
  auto events = Socket::make(context, ZMQ_PAIR);
  if (!events) return std::unexpected(events.error());
  events->set(ZMQ_RCVHWM, 0);  // an event that finds no room would stop every connection of the context
  if (zmq_socket_monitor(socket.handle(), name.c_str(), ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED) != 0)
    return failure(name, "watch");
  if (zmq_connect(events->handle(), name.c_str()) != 0) return failure(name, "watch");
  return PeerWatch(std::move(*events));
}

// An event is two frames: its number in 16 bits and a value, then the address.
void PeerWatch::look() noexcept {
  Frame frame;
  while (frame.receive(events_)) {
    std::uint16_t event = 0;
    if (frame.bytes().size() >= sizeof event) std::memcpy(&event, frame.bytes().data(), sizeof event);
    skip_rest(events_, frame);
    present_ = event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
    if (!present_) ++losses_;
  }
}

bool Frame::receive(Socket& socket) noexcept { return zmq_msg_recv(&message_, socket.handle(), ZMQ_DONTWAIT) >= 0; }

void skip_rest(Socket& socket, Frame& last) noexcept {
  while (last.more() && last.receive(socket)) {
  }
}

}  // namespace rltune::bus
