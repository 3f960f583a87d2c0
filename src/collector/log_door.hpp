// POST /v1/logs: an entry, an array of them, one a line, or what an exporter of OpenTelemetry sends (OTLP); gzip or
// not; answered when they are durable. Internal.
#pragma once

#include "rltune/telemetry/intake.hpp"
#include "rltune/webserver/server.hpp"

namespace rltune::collector {

inline constexpr std::size_t kBodyBytesMax = std::size_t{2} << 20U;  // plain

// 202 with the numbers that they have in the buffer; 400 with what is wrong with which field of which entry; 429 or 503
// with Retry-After where there is no room now. OTLP: 200, and what could not be taken is counted in the answer. `now`:
// of records without a time.
void take_logs(telemetry::Intake& logs, const webserver::Request& request, TimePoint now,
               const webserver::Reply& reply);

}  // namespace rltune::collector
