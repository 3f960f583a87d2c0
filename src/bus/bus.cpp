#include "rltune/bus/bus.hpp"

#include <google/protobuf/message.h>

#include "dispatcher.hpp"
#include "forwarded_spans.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/trace.hpp"
#include "rltune/v1/envelope.pb.h"
#include "rltune/v1/operations.pb.h"
#include "socket.hpp"

namespace rltune::bus {
namespace {

using std::chrono::milliseconds;

// Calls served before serve() returns, so that its caller's own loop turns under a flood.
constexpr int kServedMax = 256;
constexpr Duration kClockDifference = std::chrono::seconds(2);
// What the first call forwarded to a role waits for the connection.
constexpr milliseconds kConnecting(100);

}  // namespace

// A call as it arrived: whom to answer, then what it says. Behind a forwarding server the return address has
// two frames, the forwarder's and its caller's.
struct Arrival {
  static constexpr std::size_t kFramesMin = 3, kFramesMax = 4;
  std::array<Frame, kFramesMax> frames;
  std::size_t count = 0;

  // False when nothing is there. Messages of other shapes leave count at 0.
  bool receive(Socket& socket) noexcept {
    count = 0;
    if (!frames[0].receive(socket)) return false;
    std::size_t received = 1;
    while (frames[received - 1].more() && received < kFramesMax && frames[received].receive(socket)) ++received;
    const bool too_long = frames[received - 1].more();
    skip_rest(socket, frames[received - 1]);
    if (!too_long && received >= kFramesMin) count = received;
    return true;
  }
  std::string_view caller() noexcept { return frames[0].bytes(); }
  std::string_view envelope() noexcept { return frames[count - 2].bytes(); }
  std::string_view body() noexcept { return frames[count - 1].bytes(); }
};

struct Server::State {
  State(Socket made, Duration tolerance, Context& of) : socket(std::move(made)), dispatcher(tolerance), context(of) {}

  Socket socket;
  Dispatcher dispatcher;
  Context& context;
  WallClock clock;
  Arrival arrival;
  std::string answer_head, answer_body;
  Resolve resolve;
  std::map<std::string, Socket> onward;  // by endpoint
  ForwardedSpans spans;

  bool wait(milliseconds timeout, int also);
  bool serve_one();
  void answer();
  bool forwarded();
  Result<Socket*> connection_to(const std::string& endpoint);
  int pass_answers_back();
};

Result<Server> Server::bind(Context& context, const std::string& endpoint, const Security& security) {
  auto socket = Socket::make(context, ZMQ_ROUTER);
  if (!socket) return std::unexpected(socket.error());
  if (auto done = socket->bind(context, endpoint, security); !done) return std::unexpected(done.error());
  const Duration tolerance = is_tcp(endpoint) ? kClockDifference : Duration::zero();
  return Server(std::make_unique<State>(std::move(*socket), tolerance, context));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::Server(Server&&) noexcept = default;
Server::~Server() = default;

void Server::handle(const std::string& method, Handler handler) {
  state_->dispatcher.handle(method, std::move(handler));
}
void Server::forward(Resolve resolve) { state_->resolve = std::move(resolve); }
void Server::forget(const std::string& endpoint) { state_->onward.erase(endpoint); }

bool Server::State::wait(milliseconds timeout, int also) {
  std::vector<zmq_pollitem_t> items{{socket.handle(), 0, ZMQ_POLLIN, 0}};
  for (const auto& [endpoint, connection] : onward) items.push_back({connection.handle(), 0, ZMQ_POLLIN, 0});
  if (also >= 0) items.push_back({nullptr, also, ZMQ_POLLIN, 0});
  return zmq_poll(items.data(), static_cast<int>(items.size()), static_cast<long>(timeout.count())) > 0;
}

void Server::State::answer() {
  for (std::size_t i = 0; i + 2 < arrival.count; ++i)
    if (!socket.send(arrival.frames[i].bytes(), true)) return;
  if (socket.send(answer_head, true)) socket.send(answer_body, false);
}

Result<Socket*> Server::State::connection_to(const std::string& endpoint) {
  const auto known = onward.find(endpoint);
  if (known != onward.end()) return &known->second;
  auto made = Socket::make(context, ZMQ_DEALER);
  if (!made) return std::unexpected(made.error());
  made->set(ZMQ_IMMEDIATE, 1);
  made->set(ZMQ_LINGER, 0);
  if (auto done = made->connect(endpoint, {}); !done) return std::unexpected(done.error());
  zmq_pollitem_t connected{made->handle(), 0, ZMQ_POLLOUT, 0};
  zmq_poll(&connected, 1, kConnecting.count());
  return &onward.emplace(endpoint, std::move(*made)).first->second;
}

// False when the call is for a handler of ours.
bool Server::State::forwarded() {
  v1::Envelope envelope;
  const std::string_view head = arrival.envelope();
  if (!resolve || arrival.count != Arrival::kFramesMin ||
      !envelope.ParseFromArray(head.data(), static_cast<int>(head.size())) || dispatcher.handles(envelope.method()) ||
      dispatcher.expired(envelope.deadline_unix_ns(), clock.now()))
    return false;
  const auto endpoint = resolve({envelope.method(), envelope.target(), envelope.correlation_id(), arrival.caller()});
  trace::Span span = forwarding_span(envelope);
  std::string traced;
  if (span) {
    envelope.set_traceparent(trace::to_text(span.context()));
    traced = envelope.SerializeAsString();
  }
  Result<> done;
  if (!endpoint) {
    done = std::unexpected(endpoint.error());
  } else if (auto connection = connection_to(*endpoint); !connection) {
    done = std::unexpected(connection.error());
  } else if (!(*connection)->send(arrival.caller(), true) ||
             !(*connection)->send(span ? traced : arrival.envelope(), true) ||
             !(*connection)->send(arrival.body(), false)) {
    done = fail(Errc::disconnected, envelope.method() + ": nobody answers for '" + envelope.target() + "' now");
  }
  if (!done) {
    span.fail(done.error().message);
    answer_head = error_head(envelope.call(), done.error());
    answer_body.clear();
    answer();
  } else if (span) {
    spans.add(arrival.caller(), envelope, std::move(span), clock.now());
  }
  return true;
}

int Server::State::pass_answers_back() {
  int passed = 0;
  for (auto& [endpoint, connection] : onward) {
    // [caller, answer, body], as the role sent it.
    while (arrival.receive(connection)) {
      if (arrival.count != Arrival::kFramesMin) continue;
      if (socket.send(arrival.caller(), true) && socket.send(arrival.envelope(), true))
        socket.send(arrival.body(), false);
      if (!spans.empty()) spans.answered(arrival.caller(), arrival.envelope());
      ++passed;
    }
  }
  return passed;
}

bool Server::State::serve_one() {
  if (!arrival.receive(socket)) return false;
  if (arrival.count == 0 || forwarded()) return true;
  const std::array<std::string_view, 2> frames{arrival.envelope(), arrival.body()};
  if (dispatcher.dispatch(frames, arrival.caller(), clock.now(), answer_head, answer_body)) answer();
  return true;
}

int Server::serve(milliseconds timeout, int also) {
  if (!state_->spans.empty()) state_->spans.expire(state_->clock.now());
  if ((state_->socket.get(ZMQ_EVENTS) & ZMQ_POLLIN) == 0 && !state_->wait(timeout, also)) return 0;
  int served = state_->pass_answers_back();
  for (const int most = served + kServedMax; served < most && state_->serve_one();) ++served;
  return served;
}

int Server::descriptor() const noexcept { return state_->socket.get(ZMQ_FD); }

struct Client::State {
  State(Socket made, PeerWatch watch, std::string where)
      : server(std::move(watch)), socket(std::move(made)), endpoint(std::move(where)) {}

  PeerWatch server;  // outlives the socket that it watches
  Socket socket;
  std::string endpoint;
  std::string method;  // of the call in flight
  std::uint64_t call = 0;
  Duration deadline{};
  std::uint64_t losses = 0;  // of the server, when the call in flight was sent
  bool in_flight = false;
  trace::Span span;  // of the call in flight, where it is traced
  Frame head, body;
  WallClock clock;

  Result<> send(const v1::Envelope& envelope, std::string_view bytes);
  std::optional<Result<std::string>> receive();
  bool connected() noexcept { return server.present() && (socket.get(ZMQ_EVENTS) & ZMQ_POLLOUT) != 0; }
  // Until the socket is ready for `events` or something happened to the server.
  void wait(short events, milliseconds timeout) noexcept {
    std::array<zmq_pollitem_t, 2> items{{{socket.handle(), 0, events, 0}, {server.handle(), 0, ZMQ_POLLIN, 0}}};
    zmq_poll(items.data(), static_cast<int>(items.size()), static_cast<long>(timeout.count()));
  }
  milliseconds left() const noexcept {
    return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(deadline - clock.steady()));
  }
  v1::Envelope open_call(const std::string& name, const std::string& target, const std::string& correlation_id,
                         milliseconds timeout);
};

Result<Client> Client::connect(Context& context, const std::string& endpoint, const Security& security) {
  auto socket = Socket::make(context, ZMQ_DEALER);
  if (!socket) return std::unexpected(socket.error());
  // Nothing is queued for a server that is not there, and the loss of one is seen.
  socket->set(ZMQ_IMMEDIATE, 1);
  socket->set(ZMQ_LINGER, 0);
  auto watch = PeerWatch::watch(context, *socket);
  if (!watch) return std::unexpected(watch.error());
  if (auto done = socket->connect(endpoint, security); !done) return std::unexpected(done.error());
  return Client(std::make_unique<State>(std::move(*socket), std::move(*watch), endpoint));
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client&&) noexcept = default;
Client::~Client() = default;

v1::Envelope Client::State::open_call(const std::string& name, const std::string& target,
                                      const std::string& correlation_id, milliseconds timeout) {
  method = name;
  deadline = clock.steady() + timeout;
  v1::Envelope envelope;
  envelope.set_method(name);
  envelope.set_target(target);
  // What is asked on behalf of a call keeps that call's id.
  envelope.set_correlation_id(correlation_id.empty() ? std::string(log::Correlation::current()) : correlation_id);
  envelope.set_deadline_unix_ns((clock.now() + timeout).time_since_epoch().count());
  envelope.set_call(++call);
  span = trace::Span::child(name, trace::Kind::client);
  span.set("rltune.target", target).correlate(envelope.correlation_id());
  const trace::Context context = span ? span.context() : trace::current();
  if (context.valid()) envelope.set_traceparent(trace::to_text(context));
  return envelope;
}

Result<> Client::State::send(const v1::Envelope& envelope, std::string_view bytes) {
  losses = server.losses();
  in_flight = connected() && socket.send(envelope.SerializeAsString(), true) && socket.send(bytes, false);
  if (in_flight) return {};
  span.fail("nobody answers");
  span.end();
  return fail(Errc::disconnected, method + ": nobody answers at " + endpoint);
}

// The answer to the call in flight, if it has arrived.
std::optional<Result<std::string>> Client::State::receive() {
  while (head.receive(socket)) {
    if (!head.more() || !body.receive(socket)) continue;
    skip_rest(socket, body);
    v1::Answer answer;
    const std::string_view bytes = head.bytes();
    // An answer to an earlier call, that came too late, is not ours.
    if (!answer.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || answer.call() != call) continue;
    if (!answer.error_code().empty()) return fail(errc_of(answer.error_code()), answer.error_message());
    return std::string(body.bytes());
  }
  return std::nullopt;
}

Result<> Client::begin(const std::string& method, const std::string& target, std::string_view body,
                       milliseconds timeout, const std::string& correlation_id) {
  return state_->send(state_->open_call(method, target, correlation_id, timeout), body);
}

std::optional<Result<std::string>> Client::finish() {
  State& state = *state_;
  if (!state.in_flight) return std::nullopt;
  std::optional<Result<std::string>> answer = state.receive();
  // Gone since the call was sent, even when another server has taken its place. Its last answer may have come
  // meanwhile.
  const bool lost = !answer && state.server.losses() != state.losses;
  if (lost) answer = state.receive();
  if (lost && !answer)
    answer = fail(Errc::disconnected, state.method + ": " + state.endpoint + " went away before it answered");
  if (!answer && state.left().count() == 0)
    answer = fail(Errc::timeout, state.method + ": no answer from " + state.endpoint + " in time");
  state.in_flight = !answer.has_value();
  if (answer && !*answer) state.span.fail(answer->error().message);
  if (answer) state.span.end();
  return answer;
}

Result<std::string> Client::call(const std::string& method, const std::string& target, std::string_view body,
                                 milliseconds timeout, const std::string& correlation_id) {
  State& state = *state_;
  const v1::Envelope envelope = state.open_call(method, target, correlation_id, timeout);
  while (!state.connected() && state.left().count() > 0)
    state.wait(state.server.present() ? ZMQ_POLLOUT : 0, state.left());
  if (auto sent = state.send(envelope, body); !sent) return std::unexpected(sent.error());
  while (true) {
    if (auto answer = finish()) return std::move(*answer);
    state.wait(ZMQ_POLLIN, state.left());
  }
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

void serve_log_level(Server& server, const std::string& kind) {
  server.handle<v1::LogLevelRequest, v1::LogLevelAnswer>(
      kind + ".LogLevel",
      [](const Call& call, const v1::LogLevelRequest& request, v1::LogLevelAnswer& answer) -> Result<> {
        answer.set_was(log::name_of(log::level()));
        if (!request.level().empty()) {
          const auto level = log::parse_level(request.level());
          if (!level) return std::unexpected(level.error());
          // Said at the level that is always written, or quietening a role would leave no trace of itself.
          log::critical("log level changed", {{"of", std::string(call.target)},
                                              {"level", log::name_of(*level)},
                                              {"was", answer.was()},
                                              {"user", request.user()}});
          log::set_level(*level);
        }
        answer.set_level(log::name_of(log::level()));
        return {};
      });
}

}  // namespace rltune::bus
