// Logs as OpenTelemetry's exporters send them (OTLP 1.x over HTTP, POST /v1/logs), to the same payloads as entries of
// our own:
//
//   service         service.name of the resource; "unknown_service" where there is none
//   level           by severity_number, else by severity_text, else INFO
//   message         the body; what is no text, as JSON
//   timestamp       time_unix_nano, else observed_time_unix_nano, else now
//   correlation_id  the attribute correlation_id, else trace_id
//   id              the attribute log.record.uid
//   attributes      the record's, then otel.scope.name and otel.scope.version, then the resource's; the first of a name
//   counts.
//                   What our limits leave out is counted in dropped_attributes_count.
//
// Names that are none of ours get _ for what does not belong in them.
#pragma once

#include "rltune/base/time.hpp"
#include "rltune/telemetry/log_entry.hpp"

namespace rltune::telemetry {

enum class OtlpEncoding : std::uint8_t { protobuf, json };

// Of a Content-Type. Errors: unsupported.
Result<OtlpEncoding> otlp_encoding(std::string_view content_type);

struct ParsedOtlpLogs {
  Payloads payloads;               // of the records that could be taken
  std::uint64_t rejected = 0;      // the others
  std::vector<EntryFault> faults;  // why; the first kFaultsMax
};
// Outside bytes: whatever they are. Errors: parse: not a single record can be told from them.
Result<ParsedOtlpLogs> parse_otlp_logs(std::string_view body, OtlpEncoding encoding, TimePoint now);

// The ExportLogsServiceResponse: a partial success where records were rejected.
std::string otlp_answer(const ParsedOtlpLogs& parsed, OtlpEncoding encoding);

}  // namespace rltune::telemetry
