#include "calls.hpp"

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

Result<std::string> answer_of(const Message& message) {
  if (message.head.empty()) return std::string(message.body);
  v1::Answer answer;
  if (!answer.ParseFromArray(message.head.data(), static_cast<int>(message.head.size())))
    return fail(Errc::parse, "what came back is no answer");
  if (answer.error_code().empty()) return std::string(message.body);
  return fail(errc_of(answer.error_code()), answer.error_message());
}

}  // namespace rltune::bus
