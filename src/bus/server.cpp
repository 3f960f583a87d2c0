#include <array>
#include <unordered_map>
#include <vector>

#include "dispatcher.hpp"
#include "forwarder.hpp"
#include "listener.hpp"
#include "readiness.hpp"
#include "rltune/base/clock.hpp"
#include "rltune/base/log.hpp"
#include "rltune/bus/bus.hpp"
#include "rltune/v1/envelope.pb.h"

namespace rltune::bus {
namespace {

using std::chrono::milliseconds;

// Calls served before serve() returns, but for those that came in one piece with the last of them; so that its caller's
// own loop turns under a flood.
constexpr int kServedMax = 256;
constexpr std::uint64_t kListener = 0;

}  // namespace

struct Server::State {
  State(Listener made, Readiness readiness) : listener(std::move(made)), ready(std::move(readiness)) {}

  Listener listener;
  Readiness ready;
  Dispatcher dispatcher;
  WallClock clock;
  Resolve resolve;
  std::uint64_t next_number = kListener + 1;
  std::unordered_map<std::uint64_t, Stream> peers;  // by number
  std::vector<std::uint64_t> gone;                  // of them
  Forwarder forwarder{ready, next_number, [this](std::uint64_t peer, const Message& answer) { send(peer, answer); }};
  v1::Envelope envelope;
  std::string answer_head, answer_body;

  void let_in();
  int turn(const epoll_event& event);
  int hear(std::uint64_t number, Stream& peer);
  bool serve_one(std::uint64_t number, const Message& call);
  bool forwarded(std::uint64_t number, const Message& call);
  void send(std::uint64_t number, const Message& answer);
};

Result<Server> Server::bind(const std::string& endpoint) {
  auto listener = Listener::bind(endpoint);
  if (!listener) return std::unexpected(listener.error());
  auto ready = Readiness::make();
  if (!ready) return std::unexpected(ready.error());
  if (!ready->watch(listener->descriptor(), kListener)) return fail(Errc::internal, "cannot watch " + endpoint);
  return Server(std::make_unique<State>(std::move(*listener), std::move(*ready)));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::Server(Server&&) noexcept = default;
Server::~Server() = default;

void Server::handle(const std::string& method, Handler handler) {
  state_->dispatcher.handle(method, std::move(handler));
}
void Server::forward(Resolve resolve) { state_->resolve = std::move(resolve); }
void Server::forget(const std::string& endpoint) { state_->forwarder.forget(endpoint); }

void Server::State::let_in() {
  while (auto peer = listener.accept()) {
    const std::uint64_t number = next_number++;
    if (ready.watch(peer->descriptor(), number)) peers.emplace(number, std::move(*peer));
  }
}

// Who does not take its answers is asked for no more calls; who lets too much of them lie is let go.
void Server::State::send(std::uint64_t number, const Message& answer) {
  const auto peer = peers.find(number);
  if (peer == peers.end()) return;
  if (peer->second.send(answer) != Stream::Sent::taken) return gone.push_back(number);
  if (peer->second.unsent()) ready.until_writable(peer->second.descriptor(), number);
}

// False when the call is for a handler of ours.
bool Server::State::forwarded(std::uint64_t number, const Message& call) {
  if (!resolve || dispatcher.handles(envelope.method())) return false;
  const auto endpoint = resolve({envelope.method(), envelope.target(), envelope.correlation_id(), envelope.token()});
  Result<> done;
  if (endpoint)
    done = forwarder.pass(*endpoint, number, call, envelope, clock.now());
  else
    done = std::unexpected(endpoint.error());
  if (!done) send(number, {call.call, error_head(done.error()), {}});
  return true;
}

// What is no call, and what nobody waits for any more, is dropped.
bool Server::State::serve_one(std::uint64_t number, const Message& call) {
  if (!envelope.ParseFromArray(call.head.data(), static_cast<int>(call.head.size())) || expired(envelope, clock.now()))
    return false;
  if (forwarded(number, call)) return true;
  dispatcher.dispatch(envelope, call.body, answer_head, answer_body);
  send(number, {call.call, answer_head, answer_body});
  return true;
}

int Server::State::hear(std::uint64_t number, Stream& peer) {
  const Stream::Arrived arrived = peer.read();
  int served = 0;
  while (const auto call = peer.next()) served += serve_one(number, *call) ? 1 : 0;
  if (arrived == Stream::Arrived::gone || peer.broken()) gone.push_back(number);
  return served;
}

int Server::State::turn(const epoll_event& event) {
  const std::uint64_t number = event.data.u64;
  if (number == kListener) return let_in(), 0;
  const auto peer = peers.find(number);
  if (peer == peers.end()) return forwarder.turn(number, event.events, clock.now());
  if ((event.events & EPOLLOUT) == 0) return hear(number, peer->second);
  if (!peer->second.flush()) gone.push_back(number);
  if (!peer->second.unsent()) ready.until_readable(peer->second.descriptor(), number);
  return 0;
}

int Server::serve(milliseconds timeout, int also) {
  State& state = *state_;
  state.forwarder.expire(state.clock.now());
  std::array<epoll_event, 64> events{};
  int served = 0;
  for (const epoll_event& event : state.ready.wait(events, timeout, also)) {
    served += state.turn(event);
    if (served >= kServedMax) break;
  }
  for (const std::uint64_t number : state.gone) state.peers.erase(number);
  state.gone.clear();
  return served;
}

int Server::descriptor() const noexcept { return state_->ready.descriptor(); }

}  // namespace rltune::bus
