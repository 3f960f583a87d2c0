// A batch as a gateway takes it: docs/formats/telemetry-forward.md.
#pragma once

#include <string>
#include <string_view>

#include "rltune/forward/batch.hpp"

namespace rltune::forward {

inline constexpr std::size_t kBatchRecordsMax = 100'000;

// REQUIRES: every entry is a JSON object.
std::string to_gateway(const Batch& batch);
// Outside bytes: whatever they are; strict: every id and number must be what the others say. Entries are JSON objects,
// no more is known of them. Errors: parse, naming the field.
Result<Batch> parse_gateway(std::string_view text);

}  // namespace rltune::forward
