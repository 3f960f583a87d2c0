// The fields of a log entry, as they stand in a record. Internal.
#pragma once

#include <string_view>

#include "json_text.hpp"
#include "rltune/base/error.hpp"
#include "rltune/base/time.hpp"

namespace rltune::forward {

// Views into the document.
struct LogFields {
  Document document;
  TimePoint time;
  std::string_view timestamp, service, level, message, correlation_id;
  yyjson_val* attributes = nullptr;  // an object, or none
};

// Errors: parse: no log entry.
Result<LogFields> log_fields(std::string_view entry);

}  // namespace rltune::forward
