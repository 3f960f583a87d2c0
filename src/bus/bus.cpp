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
  auto made = Socket::make_caller(context);
  if (!made) return std::unexpected(made.error());
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
  const auto endpoint =
      resolve({envelope.method(), envelope.target(), envelope.correlation_id(), arrival.caller(), envelope.token()});
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
