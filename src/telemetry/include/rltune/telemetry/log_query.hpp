// A search of logs as words: what GET /v1/logs takes and answers, and the command line with it.
#pragma once

#include <map>
#include <string>

#include "rltune/telemetry/log_search.hpp"

namespace rltune::telemetry {

// from, to (RFC 3339), service (several with commas), level, correlation_id, text, limit, next, order (newest, oldest).
// Outside bytes: whatever they are. Errors: invalid_argument, naming the parameter.
Result<LogQuery> parse_query(const std::map<std::string, std::string>& parameters);

// {"entries":[{"sequence":7,"received":"...","entry":{...}}],"next":8,"complete":true}
std::string to_json(const LogPage& page);

}  // namespace rltune::telemetry
