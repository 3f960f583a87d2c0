// POST /v1/logs: an entry, an array of them, or one a line; answered when they are durable. Internal.
#pragma once

#include "rltune/telemetry/intake.hpp"
#include "rltune/webserver/server.hpp"

namespace rltune::collector {

// 202 with the numbers that they have in the buffer; 400 with what is wrong with which field of which entry; 429 or 503
// with Retry-After where there is no room now.
void take_logs(telemetry::Intake& logs, const webserver::Request& request, webserver::Reply reply);

}  // namespace rltune::collector
