#include "connection.hpp"

#include <poll.h>

#include <algorithm>
#include <array>

#include "dispatcher.hpp"
#include "rltune/base/log.hpp"

namespace rltune::bus {

OpenCall open_call(const std::string& method, const std::string& target, const std::string& correlation_id,
                   std::chrono::milliseconds timeout, TimePoint now) {
  OpenCall open;
  v1::Envelope& envelope = open.envelope;
  envelope.set_method(method);
  envelope.set_target(target);
  // What is asked on behalf of a call keeps that call's id.
  envelope.set_correlation_id(correlation_id.empty() ? std::string(log::Correlation::current()) : correlation_id);
  envelope.set_deadline_unix_ns((now + timeout).time_since_epoch().count());
  open.span = trace::Span::child(method, trace::Kind::client);
  open.span.set("rltune.target", target).correlate(envelope.correlation_id());
  const trace::Context context = open.span ? open.span.context() : trace::current();
  if (context.valid()) envelope.set_traceparent(trace::to_text(context));
  return open;
}

Result<Connection> Connection::open(Context& context, const std::string& endpoint, const Security& security) {
  auto socket = Socket::make_caller(context);
  if (!socket) return std::unexpected(socket.error());
  auto watch = PeerWatch::watch(context, *socket);
  if (!watch) return std::unexpected(watch.error());
  if (auto done = socket->connect(endpoint, security); !done) return std::unexpected(done.error());
  return Connection(std::move(*watch), std::move(*socket), endpoint);
}

bool Connection::send(const v1::Envelope& envelope, std::string_view body) {
  return socket_.send(envelope.SerializeAsString(), true) && socket_.send(body, false);
}

std::optional<ArrivedAnswer> Connection::receive() {
  Frame head, body;
  while (head.receive(socket_)) {
    if (!head.more() || !body.receive(socket_)) continue;
    skip_rest(socket_, body);
    v1::Answer answer;
    const std::string_view bytes = head.bytes();
    if (!answer.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) continue;
    if (!answer.error_code().empty())
      return ArrivedAnswer{answer.call(), fail(errc_of(answer.error_code()), answer.error_message())};
    return ArrivedAnswer{answer.call(), std::string(body.bytes())};
  }
  return std::nullopt;
}

void Connection::wait(short events, Duration timeout, int also) noexcept {
  // Their descriptors tell of changes alone: what is there already has to be looked at.
  if ((socket_.get(ZMQ_EVENTS) & events) != 0 || server_.changed()) return;
  std::array<pollfd, 3> items{{{socket_.get(ZMQ_FD), POLLIN, 0}, {server_.descriptor(), POLLIN, 0}, {also, POLLIN, 0}}};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(std::max(timeout, Duration::zero()));
  const timespec until{seconds.count(), (std::max(timeout, Duration::zero()) - seconds).count()};
  ::ppoll(items.data(), items.size(), &until, nullptr);
}

}  // namespace rltune::bus
