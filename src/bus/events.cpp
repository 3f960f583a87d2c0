// Publisher and Subscriber, over ZeroMQ.
#include <google/protobuf/message.h>

#include "rltune/bus/bus.hpp"
#include "socket.hpp"

namespace rltune::bus {

using std::chrono::milliseconds;

struct Publisher::State {
  Socket socket;
  std::string bytes;
};

Result<Publisher> Publisher::bind(Context& context, const std::string& endpoint) {
  auto socket = Socket::make(context, ZMQ_PUB);
  if (!socket) return std::unexpected(socket.error());
  if (auto done = socket->bind(endpoint); !done) return std::unexpected(done.error());
  return Publisher(std::unique_ptr<State>(new State{std::move(*socket), {}}));
}

Publisher::Publisher(std::unique_ptr<State> state) : state_(std::move(state)) {}
Publisher::Publisher(Publisher&&) noexcept = default;
Publisher::~Publisher() = default;

void Publisher::publish(std::string_view topic, const google::protobuf::Message& message) noexcept {
  if (!message.SerializeToString(&state_->bytes)) return;
  if (state_->socket.send(topic, true)) state_->socket.send(state_->bytes, false);
}

struct Subscriber::State {
  Socket socket;
  Frame topic, body;
};

Result<Subscriber> Subscriber::connect(Context& context, const std::string& endpoint, std::string_view topic) {
  auto socket = Socket::make(context, ZMQ_SUB);
  if (!socket) return std::unexpected(socket.error());
  socket->set(ZMQ_SUBSCRIBE, topic);
  if (auto done = socket->connect(endpoint); !done) return std::unexpected(done.error());
  return Subscriber(std::unique_ptr<State>(new State{std::move(*socket), {}, {}}));
}

Subscriber::Subscriber(std::unique_ptr<State> state) : state_(std::move(state)) {}
Subscriber::Subscriber(Subscriber&&) noexcept = default;
Subscriber::~Subscriber() = default;

bool Subscriber::receive(std::string_view& topic, std::string_view& body, milliseconds timeout) {
  State& state = *state_;
  if (!state.socket.wait_readable(timeout)) return false;
  while (state.topic.receive(state.socket)) {
    if (!state.topic.more() || !state.body.receive(state.socket)) continue;
    const bool too_long = state.body.more();
    skip_rest(state.socket, state.body);
    if (too_long) continue;
    topic = state.topic.bytes();
    body = state.body.bytes();
    return true;
  }
  return false;
}

int Subscriber::descriptor() const noexcept { return state_->socket.get(ZMQ_FD); }

}  // namespace rltune::bus
