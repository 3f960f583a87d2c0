#include <poll.h>

#include <algorithm>

#include "calls.hpp"
#include "endpoint.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/bus/bus.hpp"
#include "stream.hpp"

namespace rltune::bus {

using std::chrono::milliseconds;

struct Client::State {
  State(std::string where, std::string socket) : endpoint(std::move(where)), path(std::move(socket)) {}

  std::string endpoint, path;
  std::optional<Stream> stream;  // while a server is there
  OpenCall open;                 // the call in flight
  std::uint64_t call = 0;
  Duration deadline{};
  bool in_flight = false;
  WallClock clock;

  const std::string& method() const { return open.envelope.method(); }
  Duration left() const noexcept { return std::max(Duration::zero(), deadline - clock.steady()); }
  void begin(const std::string& method, const std::string& target, const std::string& correlation_id,
             milliseconds timeout);
  bool connected();
  Result<> send(std::string_view body);
  std::optional<Result<std::string>> receive();
  std::optional<Result<std::string>> outcome();
  void wait(Duration timeout) const noexcept;
};

Result<Client> Client::connect(const std::string& endpoint) {
  auto path = path_of(endpoint);
  if (!path) return std::unexpected(path.error());
  return Client(std::make_unique<State>(endpoint, std::move(*path)));
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client&&) noexcept = default;
Client::~Client() = default;

void Client::State::begin(const std::string& method, const std::string& target, const std::string& correlation_id,
                          milliseconds timeout) {
  deadline = clock.steady() + timeout;
  open = open_call(method, target, correlation_id, timeout, clock.now());
  ++call;
}

// What came too late for earlier calls goes, and a server that went away between two calls is noticed.
bool Client::State::connected() {
  while (stream) {
    while (stream->next()) {
    }
    const Stream::Arrived arrived = stream->read();
    if (arrived == Stream::Arrived::nothing && !stream->broken()) return true;
    if (arrived != Stream::Arrived::something) stream.reset();
  }
  if (auto made = Stream::connect(path)) stream.emplace(std::move(*made));
  return stream.has_value();
}

Result<> Client::State::send(std::string_view body) {
  const std::string head = open.envelope.SerializeAsString();
  // Gone since it was looked for, and perhaps there again.
  for (int i = 0; i < 2 && !in_flight && connected(); ++i) {
    in_flight = stream->send({call, head, body}) == Stream::Sent::taken;
    if (!in_flight) stream.reset();
  }
  if (in_flight) return {};
  open.span.fail("nobody answers");
  open.span.end();
  return fail(Errc::disconnected, method() + ": nobody answers at " + endpoint);
}

// The answer to the call in flight, if it is here. An answer to an earlier one, that came too late, is not ours.
std::optional<Result<std::string>> Client::State::receive() {
  if (!stream->flush()) stream.reset();
  while (stream) {
    while (const auto message = stream->next())
      if (message->call == call) return answer_of(*message);
    const Stream::Arrived arrived = stream->read();
    if (arrived == Stream::Arrived::nothing && !stream->broken()) return std::nullopt;
    if (arrived != Stream::Arrived::something) stream.reset();
  }
  return fail(Errc::disconnected, method() + ": " + endpoint + " went away before it answered");
}

std::optional<Result<std::string>> Client::State::outcome() {
  auto answer = receive();
  if (!answer && left() == Duration::zero())
    answer = fail(Errc::timeout, method() + ": no answer from " + endpoint + " in time");
  return answer;
}

Result<> Client::begin(const std::string& method, const std::string& target, std::string_view body,
                       milliseconds timeout, const std::string& correlation_id) {
  state_->in_flight = false;
  state_->begin(method, target, correlation_id, timeout);
  return state_->send(body);
}

std::optional<Result<std::string>> Client::finish() {
  State& state = *state_;
  if (!state.in_flight) return std::nullopt;
  auto answer = state.outcome();
  state.in_flight = !answer.has_value();
  if (answer && !*answer) state.open.span.fail(answer->error().message);
  if (answer) state.open.span.end();
  return answer;
}

void Client::State::wait(Duration timeout) const noexcept {
  pollfd item{stream ? stream->descriptor() : -1,
              static_cast<short>(stream && stream->unsent() ? POLLIN | POLLOUT : POLLIN), 0};
  const Duration most = stream ? timeout : std::min<Duration>(timeout, kLookAgain);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(most);
  const timespec until{seconds.count(), (most - seconds).count()};
  ::ppoll(&item, 1, &until, nullptr);
}

Result<std::string> Client::call(const std::string& method, const std::string& target, std::string_view body,
                                 milliseconds timeout, const std::string& correlation_id) {
  State& state = *state_;
  state.in_flight = false;
  state.begin(method, target, correlation_id, timeout);
  while (!state.connected() && state.left() > Duration::zero()) state.wait(state.left());
  if (auto sent = state.send(body); !sent) return std::unexpected(sent.error());
  while (true) {
    if (auto answer = finish()) return std::move(*answer);
    state.wait(state.left());
  }
}

}  // namespace rltune::bus
