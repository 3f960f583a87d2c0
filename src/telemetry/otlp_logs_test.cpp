#include "rltune/telemetry/otlp_logs.hpp"

#include <gtest/gtest.h>

#include "frame.hpp"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"

namespace rltune::telemetry {
namespace {

using opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse;
using opentelemetry::proto::logs::v1::LogRecord;

const TimePoint kNow = *parse_rfc3339("2026-01-02T03:04:05Z");

// opentelemetry-proto, examples/logs.json (Apache 2.0), with the values that it has.
constexpr std::string_view kExample = R"({"resourceLogs": [{
  "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]},
  "scopeLogs": [{
    "scope": {"name": "my.library", "version": "1.0.0",
              "attributes": [{"key": "my.scope.attribute", "value": {"stringValue": "some scope attribute"}}]},
    "logRecords": [{
      "timeUnixNano": "1544712660300000000", "observedTimeUnixNano": "1544712660300000000",
      "severityNumber": 10, "severityText": "Information",
      "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174",
      "body": {"stringValue": "Example log record"},
      "attributes": [
        {"key": "string.attribute", "value": {"stringValue": "some string"}},
        {"key": "boolean.attribute", "value": {"boolValue": true}},
        {"key": "int.attribute", "value": {"intValue": "10"}},
        {"key": "double.attribute", "value": {"doubleValue": 637.704}},
        {"key": "array.attribute", "value": {"arrayValue": {"values": [{"stringValue": "many"}, {"stringValue": "values"}]}}},
        {"key": "map.attribute", "value": {"kvlistValue": {"values": [{"key": "some.map.key", "value": {"stringValue": "some value"}}]}}}
      ]}]}]}]})";

ParsedOtlpLogs parse(const ExportLogsServiceRequest& request) {
  return *parse_otlp_logs(request.SerializeAsString(), OtlpEncoding::protobuf, kNow);
}
// One record, in a resource of this service.
LogRecord& record_of(ExportLogsServiceRequest& request, const std::string& service = "agent") {
  auto& resource = *request.add_resource_logs();
  auto& attribute = *resource.mutable_resource()->add_attributes();
  attribute.set_key("service.name");
  attribute.mutable_value()->set_string_value(service);
  LogRecord& record = *resource.add_scope_logs()->add_log_records();
  record.set_time_unix_nano(1'756'116'000'000'000'000);
  record.mutable_body()->set_string_value("text");
  return record;
}
void set(LogRecord& record, const std::string& key, const std::string& text) {
  auto& attribute = *record.add_attributes();
  attribute.set_key(key);
  attribute.mutable_value()->set_string_value(text);
}

TEST(OtlpLogs, the_specifications_example_becomes_an_entry) {
  const auto parsed = parse_otlp_logs(kExample, OtlpEncoding::json, kNow);
  ASSERT_TRUE(parsed) << parsed.error().message;
  ASSERT_EQ(parsed->payloads.size(), 1U);
  EXPECT_EQ(parsed->payloads[0],
            R"({"timestamp":"2018-12-13T14:51:00.300Z","service":"my.service","level":"INFO",)"
            R"("message":"Example log record","correlation_id":"5b8efff798038103d269b633813fc60c","attributes":{)"
            R"("span_id":"eee19b7ec3c1b174","string.attribute":"some string","boolean.attribute":true,)"
            R"("int.attribute":10,"double.attribute":637.704,"array.attribute":"[\"many\",\"values\"]",)"
            R"("map.attribute":"{\"some.map.key\":\"some value\"}","otel.scope.name":"my.library",)"
            R"("otel.scope.version":"1.0.0"}})");
  EXPECT_EQ(parse_entries(parsed->payloads[0]).payloads, parsed->payloads);
}

TEST(OtlpLogs, both_encodings_say_the_same) {
  ExportLogsServiceRequest request;
  LogRecord& record = record_of(request);
  record.set_trace_id(std::string("\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef", 16));
  record.set_severity_number(opentelemetry::proto::logs::v1::SEVERITY_NUMBER_FATAL);
  const std::string json = R"({"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":
    "agent"}}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":"1756116000000000000","severityNumber":21,"body":{
    "stringValue":"text"},"traceId":"0123456789abcdef0123456789ABCDEF","unknownField":1}]}]}]})";
  const auto parsed = parse_otlp_logs(json, OtlpEncoding::json, kNow);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->payloads, parse(request).payloads);
  EXPECT_EQ(parsed->payloads[0],
            R"({"timestamp":"2025-08-25T10:00:00Z","service":"agent","level":"CRITICAL","message":"text",)"
            R"("correlation_id":"0123456789abcdef0123456789abcdef"})");
}

TEST(OtlpLogs, each_severity_has_a_level) {
  const std::array<std::pair<int, const char*>, 12> cases{{{1, "DEBUG"},
                                                           {4, "DEBUG"},
                                                           {8, "DEBUG"},
                                                           {9, "INFO"},
                                                           {12, "INFO"},
                                                           {13, "WARNING"},
                                                           {16, "WARNING"},
                                                           {17, "ERROR"},
                                                           {20, "ERROR"},
                                                           {21, "CRITICAL"},
                                                           {24, "CRITICAL"},
                                                           {25, "INFO"}}};
  for (const auto& [number, level] : cases) {
    ExportLogsServiceRequest request;
    record_of(request).set_severity_number(static_cast<opentelemetry::proto::logs::v1::SeverityNumber>(number));
    EXPECT_NE(parse(request).payloads[0].find(std::format("\"level\":\"{}\"", level)), std::string_view::npos)
        << number;
  }
  for (const auto& [text, level] : std::array<std::pair<const char*, const char*>, 4>{
           {{"Warn", "INFO"}, {"WARN", "WARNING"}, {"error", "ERROR"}, {"FATAL", "CRITICAL"}}}) {
    ExportLogsServiceRequest request;
    record_of(request).set_severity_text(text);
    EXPECT_NE(parse(request).payloads[0].find(std::format("\"level\":\"{}\"", level)), std::string_view::npos) << text;
  }
}

TEST(OtlpLogs, what_is_missing_is_made_up_for) {
  ExportLogsServiceRequest request;
  request.add_resource_logs()->add_scope_logs()->add_log_records();
  EXPECT_EQ(parse(request).payloads[0],
            R"({"timestamp":"2026-01-02T03:04:05Z","service":"unknown_service","level":"INFO","message":""})");
  request.mutable_resource_logs(0)->mutable_scope_logs(0)->mutable_log_records(0)->set_observed_time_unix_nano(
      1'756'116'000'000'000'000);
  EXPECT_TRUE(parse(request).payloads[0].starts_with(R"({"timestamp":"2025-08-25T10:00:00Z")"));
}

TEST(OtlpLogs, an_id_of_ones_own_goes_before_the_traces) {
  ExportLogsServiceRequest request;
  LogRecord& record = record_of(request, "two words");
  record.set_trace_id(std::string(16, '\x11'));
  set(record, "correlation_id", "abc-123");
  set(record, "log.record.uid", "01F8MECHZX3TBDSZ7XRADM79XV");
  set(record, "a key", "x");
  EXPECT_EQ(
      parse(request).payloads[0],
      R"({"timestamp":"2025-08-25T10:00:00Z","service":"two_words","level":"INFO","message":"text",)"
      R"("correlation_id":"abc-123","id":"01F8MECHZX3TBDSZ7XRADM79XV","attributes":{)"
      R"("trace_id":"11111111111111111111111111111111","log.record.uid":"01F8MECHZX3TBDSZ7XRADM79XV","a_key":"x"}})");
}

TEST(OtlpLogs, attributes_beyond_the_limits_are_counted) {
  ExportLogsServiceRequest request;
  LogRecord& record = record_of(request);
  record.set_dropped_attributes_count(5);
  set(record, "long", std::string(kMessageMax + 1, 'x'));
  for (std::size_t i = 0; i < kAttributesMax + 10; ++i) set(record, std::format("a{}", i), "x");
  const auto parsed = parse(request);
  ASSERT_EQ(parsed.payloads.size(), 1U);
  EXPECT_TRUE(parsed.payloads[0].ends_with(R"("a62":"x","dropped_attributes_count":17}})")) << parsed.payloads[0];
  EXPECT_EQ(parse_entries(parsed.payloads[0]).payloads, parsed.payloads);
}

TEST(OtlpLogs, records_that_cannot_be_kept_are_rejected_and_counted_and_the_others_taken) {
  ExportLogsServiceRequest request;
  record_of(request).set_time_unix_nano(0xFFFF'FFFF'FFFF'FFFF);
  record_of(request).mutable_body()->set_string_value(std::string(kMessageMax + 1, 'x'));
  LogRecord& large = record_of(request);
  for (int i = 0; i < 20; ++i) set(large, std::format("a{}", i), std::string(kMessageMax, 'x'));
  record_of(request);
  const auto parsed = parse(request);
  EXPECT_EQ(parsed.payloads.size(), 1U);
  EXPECT_EQ(parsed.rejected, 3U);
  ASSERT_EQ(parsed.faults.size(), 3U);
  EXPECT_EQ(parsed.faults[0].field, "timestamp");
  EXPECT_EQ(parsed.faults[1].field, "message");
  EXPECT_EQ(parsed.faults[1].entry, 2U);
  EXPECT_EQ(parsed.faults[2].field, "");
  ExportLogsServiceResponse response;
  ASSERT_TRUE(response.ParseFromString(otlp_answer(parsed, OtlpEncoding::protobuf)));
  EXPECT_EQ(response.partial_success().rejected_log_records(), 3);
  EXPECT_NE(response.partial_success().error_message().find("record 2, message"), std::string::npos);
  EXPECT_NE(otlp_answer(parsed, OtlpEncoding::json).find(R"("rejectedLogRecords":"3")"), std::string::npos);
  EXPECT_EQ(otlp_answer({}, OtlpEncoding::json), "{}");
}

TEST(OtlpLogs, what_is_no_request_is_refused) {
  for (const std::string_view body : {"", "[]", "{\"resourceLogs\":1}", "{", "\xFF"})
    EXPECT_FALSE(parse_otlp_logs(body, OtlpEncoding::json, kNow)) << body;
  EXPECT_EQ(parse_otlp_logs("\xFF\xFF", OtlpEncoding::protobuf, kNow).error().code, Errc::parse);
  EXPECT_EQ(parse_otlp_logs(std::string(100'000, '['), OtlpEncoding::json, kNow).error().code, Errc::parse);
  EXPECT_TRUE(parse_otlp_logs("", OtlpEncoding::protobuf, kNow)) << "no record at all";
  EXPECT_EQ(otlp_encoding("application/json; charset=utf-8"), OtlpEncoding::json);
  EXPECT_EQ(otlp_encoding("Application/X-Protobuf"), OtlpEncoding::protobuf);
  EXPECT_EQ(otlp_encoding("text/plain").error().code, Errc::unsupported);
}

}  // namespace
}  // namespace rltune::telemetry
