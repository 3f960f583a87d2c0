#include "dispatcher.hpp"

#include <google/protobuf/stubs/logging.h>

#include <exception>

#include "rltune/base/log.hpp"
#include "rltune/base/trace.hpp"
#include "rltune/v1/envelope.pb.h"

namespace rltune::bus {

Dispatcher::Dispatcher() {
  // Its lines about bytes that do not parse are whatever a peer makes of them.
  google::protobuf::SetLogHandler(nullptr);
}

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

void Dispatcher::dispatch(const v1::Envelope& envelope, std::string_view body, std::string& answer_head,
                          std::string& answer_body) {
  answer_head.clear();
  answer_body.clear();
  const Call call{envelope.method(), envelope.target(), envelope.correlation_id(), envelope.token()};
  const log::Correlation while_served(call.correlation_id);
  const trace::Context caller = trace::parse(envelope.traceparent());
  trace::Span span = trace::Span::child_of(caller, envelope.method(), trace::Kind::server);
  const trace::Scope within(span ? span.context() : caller);
  if (auto done = run(call, body, answer_body); !done) {
    span.fail(done.error().message);
    answer_body.clear();
    answer_head = error_head(done.error());
  }
}

bool expired(const v1::Envelope& envelope, TimePoint now) noexcept {
  return envelope.deadline_unix_ns() != 0 && envelope.deadline_unix_ns() < now.time_since_epoch().count();
}

std::string error_head(const Error& error) {
  v1::Answer answer;
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
