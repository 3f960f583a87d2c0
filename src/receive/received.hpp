// A received record as its buffer has it. Internal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rltune/forward/batch.hpp"
#include "rltune/telemetry/record_source.hpp"

namespace rltune::receive {

struct Received {
  std::string source;
  telemetry::SequenceRange covers;
  forward::Record record;
};

// The batch's records, each with the span that it settles.
std::vector<Received> received_of(const forward::Batch& batch);
std::string to_payload(const Received& received);
// Errors: corrupt.
Result<Received> parse_received(std::string_view payload);

}  // namespace rltune::receive
