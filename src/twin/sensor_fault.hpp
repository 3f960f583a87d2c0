// Faults of sensors, asked for by tests and demonstrations: "air_temperature stuck".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rltune/base/error.hpp"
#include "rltune/twin/tag.hpp"

namespace rltune::twin {

enum class FaultKind : std::uint8_t { none, stuck, nan, infinite, bad_status, dropout, wrong_type, value };

struct SensorFault {
  FaultKind kind = FaultKind::none;
  double value = 0.0;  // kind value: what the sensor shows
};

struct FaultRequest {
  std::string tag;
  SensorFault fault;
};

// "TAG none|stuck|nan|infinite|bad_status|dropout|wrong_type" or "TAG value NUMBER".
// Errors: invalid_argument, listing what is valid.
Result<FaultRequest> parse_fault(std::string_view text);

// What the sensor shows instead of `healthy`; `shown` is what it showed last. False: nothing new is shown.
bool apply_fault(const SensorFault& fault, const TagValue& healthy, TagValue& shown);

}  // namespace rltune::twin
