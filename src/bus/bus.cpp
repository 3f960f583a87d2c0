#include "rltune/bus/bus.hpp"

#include <google/protobuf/message.h>

#include "dispatcher.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/v1/envelope.pb.h"
#include "socket.hpp"

namespace rltune::bus {
namespace {

using std::chrono::milliseconds;

// How often a waiting caller looks whether its server is still there.
constexpr milliseconds kPresence(20);
// Calls served before serve() returns, so that its caller's own loop turns under a flood.
constexpr int kServedMax = 256;
constexpr Duration kClockDifference = std::chrono::seconds(2);

}  // namespace

struct Server::State {
  Socket socket;
  Dispatcher dispatcher;
  Frame identity, envelope, body;
  std::string answer_head, answer_body;
};

Result<Server> Server::bind(Context& context, const std::string& endpoint, const Security& security) {
  auto socket = Socket::make(context, ZMQ_ROUTER);
  if (!socket) return std::unexpected(socket.error());
  if (auto done = socket->bind(context, endpoint, security); !done) return std::unexpected(done.error());
  const Duration tolerance = is_tcp(endpoint) ? kClockDifference : Duration::zero();
  return Server(std::unique_ptr<State>(new State{std::move(*socket), Dispatcher(tolerance), {}, {}, {}, {}, {}}));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::Server(Server&&) noexcept = default;
Server::~Server() = default;

void Server::handle(const std::string& method, Handler handler) {
  state_->dispatcher.handle(method, std::move(handler));
}
void Server::handle_rest(Handler handler) { state_->dispatcher.handle_rest(std::move(handler)); }

int Server::serve(milliseconds timeout) {
  State& state = *state_;
  if (!state.socket.wait_readable(timeout)) return 0;
  const WallClock clock;
  int served = 0;
  for (int received = 0; received < kServedMax && state.identity.receive(state.socket); ++received) {
    if (!state.identity.more() || !state.envelope.receive(state.socket)) continue;
    if (!state.envelope.more() || !state.body.receive(state.socket)) continue;
    const bool too_long = state.body.more();
    skip_rest(state.socket, state.body);
    const std::array<std::string_view, 2> frames{state.envelope.bytes(), state.body.bytes()};
    if (too_long ||
        !state.dispatcher.dispatch(frames, state.identity.bytes(), clock.now(), state.answer_head, state.answer_body))
      continue;
    ++served;
    if (state.socket.send(state.identity.bytes(), true) && state.socket.send(state.answer_head, true))
      state.socket.send(state.answer_body, false);
  }
  return served;
}

int Server::descriptor() const noexcept { return state_->socket.get(ZMQ_FD); }

struct Client::State {
  Socket socket;
  std::string endpoint;
  std::uint64_t calls = 0;
  Frame head, body;
  WallClock clock;

  Result<> send(const v1::Envelope& envelope, std::string_view body_bytes, Duration deadline);
  Result<std::string> receive(const std::string& method, std::uint64_t call, Duration deadline);
  bool connected() const noexcept { return (socket.get(ZMQ_EVENTS) & ZMQ_POLLOUT) != 0; }
  milliseconds left(Duration deadline) const noexcept {
    return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(deadline - clock.steady()));
  }
};

Result<Client> Client::connect(Context& context, const std::string& endpoint, const Security& security) {
  auto socket = Socket::make(context, ZMQ_DEALER);
  if (!socket) return std::unexpected(socket.error());
  // Nothing is queued for a server that is not there, and the loss of one is seen.
  socket->set(ZMQ_IMMEDIATE, 1);
  socket->set(ZMQ_LINGER, 0);
  if (auto done = socket->connect(endpoint, security); !done) return std::unexpected(done.error());
  return Client(std::unique_ptr<State>(new State{std::move(*socket), endpoint, 0, {}, {}, {}}));
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client&&) noexcept = default;
Client::~Client() = default;

Result<> Client::State::send(const v1::Envelope& envelope, std::string_view body_bytes, Duration deadline) {
  while (!connected()) {
    const milliseconds rest = left(deadline);
    if (rest.count() == 0) return fail(Errc::disconnected, envelope.method() + ": nobody answers at " + endpoint);
    zmq_pollitem_t item{socket.handle(), 0, ZMQ_POLLOUT, 0};
    zmq_poll(&item, 1, static_cast<long>(rest.count()));
  }
  if (!socket.send(envelope.SerializeAsString(), true) || !socket.send(body_bytes, false))
    return fail(Errc::disconnected, envelope.method() + ": lost " + endpoint);
  return {};
}

Result<std::string> Client::State::receive(const std::string& method, std::uint64_t call, Duration deadline) {
  while (true) {
    const milliseconds rest = left(deadline);
    if (!socket.wait_readable(std::min(rest, kPresence))) {
      if (!connected()) return fail(Errc::disconnected, method + ": " + endpoint + " went away before it answered");
      if (rest.count() == 0) return fail(Errc::timeout, method + ": no answer from " + endpoint + " in time");
      continue;
    }
    if (!head.receive(socket) || !head.more() || !body.receive(socket)) continue;
    skip_rest(socket, body);
    v1::Answer answer;
    const std::string_view bytes = head.bytes();
    // An answer to an earlier call, that came too late, is not ours.
    if (!answer.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || answer.call() != call) continue;
    if (!answer.error_code().empty()) return fail(errc_of(answer.error_code()), answer.error_message());
    return std::string(body.bytes());
  }
}

Result<std::string> Client::call(const std::string& method, const std::string& target, std::string_view body,
                                 milliseconds timeout, const std::string& correlation_id) {
  State& state = *state_;
  const Duration deadline = state.clock.steady() + timeout;
  v1::Envelope envelope;
  envelope.set_method(method);
  envelope.set_target(target);
  envelope.set_correlation_id(correlation_id);
  envelope.set_deadline_unix_ns((state.clock.now() + timeout).time_since_epoch().count());
  envelope.set_call(++state.calls);
  if (auto sent = state.send(envelope, body, deadline); !sent) return std::unexpected(sent.error());
  return state.receive(method, state.calls, deadline);
}

struct Publisher::State {
  Socket socket;
  std::string bytes;
};

Result<Publisher> Publisher::bind(Context& context, const std::string& endpoint, const Security& security) {
  auto socket = Socket::make(context, ZMQ_PUB);
  if (!socket) return std::unexpected(socket.error());
  if (auto done = socket->bind(context, endpoint, security); !done) return std::unexpected(done.error());
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

Result<Subscriber> Subscriber::connect(Context& context, const std::string& endpoint, std::string_view topic,
                                       const Security& security) {
  auto socket = Socket::make(context, ZMQ_SUB);
  if (!socket) return std::unexpected(socket.error());
  socket->set(ZMQ_SUBSCRIBE, topic);
  if (auto done = socket->connect(endpoint, security); !done) return std::unexpected(done.error());
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
