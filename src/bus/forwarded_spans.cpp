#include "forwarded_spans.hpp"

#include "rltune/v1/envelope.pb.h"

namespace rltune::bus {
namespace {

constexpr Duration kPatience = std::chrono::seconds(60);  // for calls without a deadline

}  // namespace

trace::Span forwarding_span(const v1::Envelope& envelope) noexcept {
  if (!trace::on()) return {};
  const trace::Context caller = trace::parse(envelope.traceparent());
  trace::Span span = caller.valid() ? trace::Span::child_of(caller, "dispatch", trace::Kind::server)
                                    : trace::Span::root("dispatch", trace::Kind::server);
  span.set("rltune.method", envelope.method()).set("rltune.target", envelope.target());
  span.correlate(envelope.correlation_id());
  return span;
}

void ForwardedSpans::add(std::string_view caller, const v1::Envelope& envelope, trace::Span span, TimePoint now) {
  if (waiting_.size() >= kMax) return;
  const TimePoint until =
      envelope.deadline_unix_ns() == 0 ? now + kPatience : TimePoint(Duration(envelope.deadline_unix_ns()));
  waiting_[{std::string(caller), envelope.call()}] = {std::move(span), until};
}

void ForwardedSpans::answered(std::string_view caller, std::string_view head) {
  v1::Answer answer;
  if (!answer.ParseFromArray(head.data(), static_cast<int>(head.size()))) return;
  const auto found = waiting_.find({std::string(caller), answer.call()});
  if (found == waiting_.end()) return;
  if (!answer.error_code().empty()) found->second.span.fail(answer.error_message());
  waiting_.erase(found);
}

void ForwardedSpans::expire(TimePoint now) {
  std::erase_if(waiting_, [now](auto& entry) {
    if (now < entry.second.until) return false;
    entry.second.span.fail("no answer in time");
    return true;
  });
}

}  // namespace rltune::bus
