// Log entries as senders give them: the body of `POST /v1/logs`, one JSON object, an array of them, or one a line
// (NDJSON).
//
//   {"timestamp": "2025-08-25T10:00:00Z", "service": "corerl", "level": "INFO", "message": "Agent started
//   successfully.",
//    "correlation_id": "abc-123", "id": "7f3a", "attributes": {"agent": "climate", "steps": 12}}
//
// `correlation_id`, `id` (by which the receiver knows an entry that was sent twice) and `attributes` may be left out;
// nothing else may stand there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rltune/telemetry/payloads.hpp"

namespace rltune::telemetry {

inline constexpr std::size_t kMessageMax = 64UZ << 10U, kNameMax = 128, kAttributesMax = 64, kFaultsMax = 20;

// What is wrong with one field of one entry.
struct EntryFault {
  std::size_t entry = 0;  // counted from 1
  std::string field;      // "level", "attributes.agent"; empty: the entry as a whole
  std::string message;    // what is there, and what should be
  bool operator==(const EntryFault&) const = default;
};

struct ParsedEntries {
  Payloads payloads;               // an entry each, in our order of fields; only where there is no fault
  std::vector<EntryFault> faults;  // the first kFaultsMax
};
// Outside bytes: whatever they are.
ParsedEntries parse_entries(std::string_view body);

}  // namespace rltune::telemetry
