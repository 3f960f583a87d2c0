// A call before it is sent and its answer after it came: what Client and Caller have in common. Internal.
#pragma once

#include <chrono>
#include <string>

#include "message_reader.hpp"
#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"
#include "rltune/base/trace.hpp"
#include "rltune/v1/envelope.pb.h"

namespace rltune::bus {

struct OpenCall {
  v1::Envelope envelope;
  trace::Span span;  // empty where it is not traced
};
// On the thread that calls: the call belongs to that thread's trace, and without an id of its own to the call that the
// thread serves.
OpenCall open_call(const std::string& method, const std::string& target, const std::string& correlation_id,
                   std::chrono::milliseconds timeout, TimePoint now);

// Errors: the handler's own; parse where it is no answer.
Result<std::string> answer_of(const Message& message);

// How long to wait before a server that is not there is looked for again.
inline constexpr std::chrono::milliseconds kLookAgain(10);

}  // namespace rltune::bus
