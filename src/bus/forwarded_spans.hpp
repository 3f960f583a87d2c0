// The spans of traced calls that were passed on and not answered yet: each ends with the answer, or failed by the
// call's deadline. Internal.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "rltune/base/trace.hpp"

namespace rltune::v1 {
class Envelope;
}

namespace rltune::bus {

// That of passing this call on; begins a trace where its caller had none. Empty where nothing is traced.
trace::Span forwarding_span(const v1::Envelope& envelope) noexcept;

class ForwardedSpans {
 public:
  // Beyond kMax the span ends at once: it tells that the call was passed on, and not how long that took.
  void add(std::string_view caller, const v1::Envelope& envelope, trace::Span span, TimePoint now);
  // `head`: an answer as a role sent it, whatever its bytes.
  void answered(std::string_view caller, std::string_view head);
  void expire(TimePoint now);
  bool empty() const noexcept { return waiting_.empty(); }

 private:
  static constexpr std::size_t kMax = 1'024;
  struct Waiting {
    trace::Span span;
    TimePoint until;
  };
  std::map<std::pair<std::string, std::uint64_t>, Waiting> waiting_;  // by caller and number of the call
};

}  // namespace rltune::bus
