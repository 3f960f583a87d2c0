// What was decided: read from io's log in pages, and computed again by coredinator. Whoever reads or replays decisions
// stands on record with what they asked for.
#pragma once

#include <functional>
#include <string>

#include "history_operations.hpp"

namespace rltune::gateway {

// For the audit: who read what.
struct ReadEvent {
  std::string account, action, target, correlation_id;
};
using TellRead = std::function<void(const ReadEvent&)>;

// Of the operations listDecisions, getDecision and replayDecision.
Handlers decision_handlers(const Reading& reading, const TellRead& tell_read);

}  // namespace rltune::gateway
