#include "forwarder.hpp"

#include <algorithm>

#include "calls.hpp"
#include "dispatcher.hpp"
#include "endpoint.hpp"
#include "rltune/v1/envelope.pb.h"

namespace rltune::bus {
namespace {

constexpr Duration kPatience = std::chrono::seconds(60);  // for calls without a deadline
constexpr Duration kBetweenLooks = std::chrono::milliseconds(100);
constexpr std::size_t kWaitingMax = 65'536;

// That of passing this call on; begins a trace where its caller had none. Empty where nothing is traced.
trace::Span span_of(const v1::Envelope& envelope) noexcept {
  if (!trace::on()) return {};
  const trace::Context caller = trace::parse(envelope.traceparent());
  trace::Span span = caller.valid() ? trace::Span::child_of(caller, "dispatch", trace::Kind::server)
                                    : trace::Span::root("dispatch", trace::Kind::server);
  span.set("rltune.method", envelope.method()).set("rltune.target", envelope.target());
  span.correlate(envelope.correlation_id());
  return span;
}

TimePoint end_of(const v1::Envelope& envelope, TimePoint now) {
  return envelope.deadline_unix_ns() == 0 ? now + kPatience : TimePoint(Duration(envelope.deadline_unix_ns()));
}

}  // namespace

Forwarder::Onward* Forwarder::connection_to(const std::string& endpoint) {
  if (const auto known = onward_.find(endpoint); known != onward_.end()) return &known->second;
  const auto path = path_of(endpoint);
  auto made = path ? Stream::connect(*path) : std::nullopt;
  if (!made || !ready_.watch(made->descriptor(), numbers_)) return nullptr;
  return &onward_.emplace(endpoint, Onward{numbers_++, std::move(*made), {}}).first->second;
}

Result<> Forwarder::pass(const std::string& endpoint, std::uint64_t peer, const Message& call, v1::Envelope& envelope,
                         TimePoint now) {
  trace::Span span = span_of(envelope);
  std::string traced;
  if (span) {
    envelope.set_traceparent(trace::to_text(span.context()));
    traced = envelope.SerializeAsString();
  }
  const Message onward{++calls_, span ? std::string_view(traced) : call.head, call.body};
  auto sent = Stream::Sent::gone;
  // One that went away, and perhaps is there again, is not known before something is written to it.
  for (int i = 0; i < 2 && sent == Stream::Sent::gone; ++i) {
    Onward* to = connection_to(endpoint);
    if (to == nullptr) break;
    sent = to->waiting.size() < kWaitingMax ? to->stream.send(onward) : Stream::Sent::no_room;
    if (sent == Stream::Sent::gone) lose(onward_.find(endpoint));
    if (sent != Stream::Sent::taken) continue;
    if (to->stream.unsent()) ready_.both(to->stream.descriptor(), to->number);
    to->waiting.emplace(onward.call,
                        Waiting{peer, call.call, end_of(envelope, now), envelope.target(), std::move(span)});
    return {};
  }
  const bool full = sent == Stream::Sent::no_room;
  auto error = fail(full ? Errc::no_space : Errc::disconnected,
                    envelope.method() + (full ? ": too many calls wait for '" : ": nobody answers for '") +
                        envelope.target() + "' now");
  span.fail(error.error().message);
  return error;
}

// Late answers, and those that nobody asked for, find no call or no peer.
void Forwarder::answered(Onward& from, const Message& answer, TimePoint now) {
  auto found = from.waiting.extract(answer.call);
  if (!found) return;
  Waiting& call = found.mapped();
  if (now > call.until) return call.span.fail("no answer in time");
  if (call.span && !answer.head.empty()) {
    auto error = answer_of(answer);
    if (!error) call.span.fail(error.error().message);
  }
  back_(call.peer, {call.call, answer.head, answer.body});
}

int Forwarder::turn(std::uint64_t connection, std::uint32_t events, TimePoint now) {
  const auto found =
      std::ranges::find_if(onward_, [&](const auto& entry) { return entry.second.number == connection; });
  if (found == onward_.end()) return 0;
  Onward& onward = found->second;
  if ((events & EPOLLOUT) != 0) {
    if (!onward.stream.flush()) return lose(found), 0;
    if (!onward.stream.unsent()) ready_.until_readable(onward.stream.descriptor(), onward.number);
  }
  if ((events & ~EPOLLOUT) == 0) return 0;
  const Stream::Arrived arrived = onward.stream.read();
  int passed = 0;
  for (; const auto answer = onward.stream.next(); ++passed) answered(onward, *answer, now);
  if (arrived == Stream::Arrived::gone || onward.stream.broken()) lose(found);
  return passed;
}

void Forwarder::lose(Connections::iterator gone) {
  const auto lost = onward_.extract(gone);  // `back` may come here again
  for (auto& [number, call] : lost.mapped().waiting) {
    const Error error{Errc::disconnected, "'" + call.target + "' went away before it answered"};
    call.span.fail(error.message);
    back_(call.peer, {call.call, error_head(error), {}});
  }
}

void Forwarder::forget(const std::string& endpoint) {
  if (const auto known = onward_.find(endpoint); known != onward_.end()) lose(known);
}

void Forwarder::expire(TimePoint now) {
  if (now < expired_ + kBetweenLooks && now >= expired_) return;
  expired_ = now;
  for (auto& [endpoint, onward] : onward_)
    std::erase_if(onward.waiting, [now](auto& entry) {
      if (now <= entry.second.until) return false;
      entry.second.span.fail("no answer in time");
      return true;
    });
}

}  // namespace rltune::bus
