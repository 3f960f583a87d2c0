// Spans as OpenTelemetry's own messages: opentelemetry.io/docs/specs/otlp. Internal.
#pragma once

#include <span>
#include <string>

#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "sink.hpp"

namespace rltune::tracing {

using Request = opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;

Request to_otlp(const Origin& origin, std::span<const trace::Record> spans);
// One line. OTLP's JSON is Protocol Buffers' own, but that identifiers are hexadecimal and enumerators numbers.
std::string to_json(const Request& request);

}  // namespace rltune::tracing
