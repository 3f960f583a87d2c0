#include "dispatcher.hpp"

#include <exception>

#include "rltune/base/log.hpp"
#include "rltune/base/trace.hpp"
#include "rltune/v1/envelope.pb.h"

namespace rltune::bus {

void Dispatcher::handle(const std::string& method, Server::Handler handler) { handlers_[method] = std::move(handler); }

Result<> Dispatcher::run(const Call& call, std::string_view body, std::string& answer) {
  const auto found = handlers_.find(call.method);
  if (found == handlers_.end())
    return fail(Errc::not_found, "no method '" + std::string(call.method) + "' is served here");
  try {
    if (auto done = found->second(call, body, answer); !done) return done;
  } catch (const std::exception& caught) {
    return fail(Errc::internal, std::string(call.method) + ": " + caught.what());
  }
  // Sent, it would end the caller's connection, and with it every other call there.
  if (answer.size() > kMessageBytesMax)
    return fail(Errc::no_space, std::string(call.method) + ": the answer is longer than 16 MiB; ask for less of it");
  return {};
}

bool Dispatcher::dispatch(std::span<const std::string_view> frames, std::string_view caller, TimePoint now,
                          std::string& head, std::string& body) {
  v1::Envelope envelope;
  if (frames.size() != 2 || !envelope.ParseFromArray(frames[0].data(), static_cast<int>(frames[0].size())) ||
      expired(envelope.deadline_unix_ns(), now)) {
    ++dropped_;
    return false;
  }
  body.clear();
  const Call call{envelope.method(), envelope.target(), envelope.correlation_id(), caller, envelope.token()};
  const log::Correlation while_served(call.correlation_id);
  const trace::Context caller_context = trace::parse(envelope.traceparent());
  trace::Span span = trace::Span::child_of(caller_context, envelope.method(), trace::Kind::server);
  const trace::Scope within(span ? span.context() : caller_context);
  if (auto done = run(call, frames[1], body); !done) {
    span.fail(done.error().message);
    body.clear();
    head = error_head(envelope.call(), done.error());
    return true;
  }
  v1::Answer answer;
  answer.set_call(envelope.call());
  return answer.SerializeToString(&head);
}

bool Dispatcher::expired(std::int64_t deadline_unix_ns, TimePoint now) const noexcept {
  return deadline_unix_ns != 0 && deadline_unix_ns < (now - tolerance_).time_since_epoch().count();
}

std::string error_head(std::uint64_t call, const Error& error) {
  v1::Answer answer;
  answer.set_call(call);
  answer.set_error_code(to_string(error.code));
  answer.set_error_message(error.message);
  return answer.SerializeAsString();
}

Errc errc_of(std::string_view name) noexcept {
  for (int i = 0; i < static_cast<int>(Errc::internal); ++i)
    if (name == to_string(static_cast<Errc>(i))) return static_cast<Errc>(i);
  return Errc::internal;
}

}  // namespace rltune::bus
