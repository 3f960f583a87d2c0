#include "connection.hpp"
#include "rltune/base/clock.hpp"

namespace rltune::bus {

using std::chrono::milliseconds;

struct Client::State {
  explicit State(Connection opened) : connection(std::move(opened)) {}

  Connection connection;
  OpenCall open;  // the call in flight
  std::uint64_t call = 0;
  Duration deadline{};
  std::uint64_t losses = 0;  // of the server, when the call in flight was sent
  bool in_flight = false;
  WallClock clock;

  const std::string& method() const { return open.envelope.method(); }
  Duration left() const noexcept { return std::max(Duration::zero(), deadline - clock.steady()); }
  void begin(const std::string& method, const std::string& target, const std::string& correlation_id,
             milliseconds timeout);
  Result<> send(std::string_view body);
  std::optional<Result<std::string>> receive();
};

Result<Client> Client::connect(Context& context, const std::string& endpoint, const Security& security) {
  auto connection = Connection::open(context, endpoint, security);
  if (!connection) return std::unexpected(connection.error());
  return Client(std::make_unique<State>(std::move(*connection)));
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client&&) noexcept = default;
Client::~Client() = default;

void Client::State::begin(const std::string& method, const std::string& target, const std::string& correlation_id,
                          milliseconds timeout) {
  deadline = clock.steady() + timeout;
  open = open_call(method, target, correlation_id, timeout, clock.now());
  open.envelope.set_call(++call);
}

Result<> Client::State::send(std::string_view body) {
  losses = connection.losses();
  in_flight = connection.connected() && connection.send(open.envelope, body);
  if (in_flight) return {};
  open.span.fail("nobody answers");
  open.span.end();
  return fail(Errc::disconnected, method() + ": nobody answers at " + connection.endpoint());
}

// The answer to the call in flight, if it has arrived.
std::optional<Result<std::string>> Client::State::receive() {
  while (auto answer = connection.receive())
    // An answer to an earlier call, that came too late, is not ours.
    if (answer->call == call) return std::move(answer->result);
  return std::nullopt;
}

Result<> Client::begin(const std::string& method, const std::string& target, std::string_view body,
                       milliseconds timeout, const std::string& correlation_id) {
  state_->begin(method, target, correlation_id, timeout);
  return state_->send(body);
}

std::optional<Result<std::string>> Client::finish() {
  State& state = *state_;
  if (!state.in_flight) return std::nullopt;
  std::optional<Result<std::string>> answer = state.receive();
  // Gone since the call was sent, even when another server has taken its place. Its last answer may have come
  // meanwhile.
  const bool lost = !answer && state.connection.losses() != state.losses;
  if (lost) answer = state.receive();
  if (lost && !answer)
    answer =
        fail(Errc::disconnected, state.method() + ": " + state.connection.endpoint() + " went away before it answered");
  if (!answer && state.left() == Duration::zero())
    answer = fail(Errc::timeout, state.method() + ": no answer from " + state.connection.endpoint() + " in time");
  state.in_flight = !answer.has_value();
  if (answer && !*answer) state.open.span.fail(answer->error().message);
  if (answer) state.open.span.end();
  return answer;
}

Result<std::string> Client::call(const std::string& method, const std::string& target, std::string_view body,
                                 milliseconds timeout, const std::string& correlation_id) {
  State& state = *state_;
  state.begin(method, target, correlation_id, timeout);
  while (!state.connection.connected() && state.left() > Duration::zero())
    state.connection.wait(state.connection.present() ? ZMQ_POLLOUT : 0, state.left());
  if (auto sent = state.send(body); !sent) return std::unexpected(sent.error());
  while (true) {
    if (auto answer = finish()) return std::move(*answer);
    state.connection.wait(ZMQ_POLLIN, state.left());
  }
}

}  // namespace rltune::bus
