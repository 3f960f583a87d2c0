#include "otlp.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace rltune::tracing {
namespace {

using namespace std::chrono_literals;

trace::Record example() {
  trace::Record record;
  record.name = trace::Text("io.Propose");
  record.kind = trace::Kind::server;
  record.context = trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  record.parent = {0xee, 0xe1, 0x9b, 0x7e, 0xc3, 0xc1, 0xb1, 0x73};
  record.start = TimePoint(1'544'712'660'300'000'000ns);
  record.took = 2ms;
  record.correlation_id = trace::Text("0198");
  record.attributes[0] = {.name = "rltune.agent", .text = trace::Text("climate")};
  record.attributes[1] = {.name = "rltune.outputs", .number = 3.0, .is_number = true};
  record.attributes[2] = {.name = "rltune.share", .number = 0.5, .is_number = true};
  record.attributes_count = 3;
  return record;
}

TEST(Otlp, a_span_is_what_was_recorded) {
  const trace::Record record = example();
  const Request request = to_otlp({"north", "io"}, {&record, 1});
  ASSERT_EQ(request.resource_spans_size(), 1);
  const auto& resource = request.resource_spans(0).resource();
  EXPECT_EQ(resource.attributes(0).key(), "service.name");
  EXPECT_EQ(resource.attributes(0).value().string_value(), "io");
  ASSERT_EQ(request.resource_spans(0).scope_spans(0).spans_size(), 1);
  const auto& span = request.resource_spans(0).scope_spans(0).spans(0);
  EXPECT_EQ(span.name(), "io.Propose");
  EXPECT_EQ(span.trace_id().size(), 16U);
  EXPECT_EQ(span.parent_span_id(), "\xee\xe1\x9b\x7e\xc3\xc1\xb1\x73");
  EXPECT_EQ(span.end_time_unix_nano() - span.start_time_unix_nano(), 2'000'000U);
  EXPECT_EQ(span.attributes_size(), 4);
  EXPECT_FALSE(span.has_status());
}

// Keys, identifiers and enumerators as in the specification's example (opentelemetry-proto, examples/trace.json).
TEST(Otlp, json_is_of_the_specifications_form) {
  trace::Record record = example();
  record.failed = true;
  record.reason = trace::Text("no answer in time");
  const std::string line = to_json(to_otlp({"north", "io"}, {&record, 1}));
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto json = nlohmann::json::parse(line);
  const auto& span = json["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
  EXPECT_EQ(span["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(span["spanId"], "00f067aa0ba902b7");
  EXPECT_EQ(span["parentSpanId"], "eee19b7ec3c1b173");
  EXPECT_EQ(span["kind"], 2);
  EXPECT_EQ(span["startTimeUnixNano"], "1544712660300000000");
  EXPECT_EQ(span["endTimeUnixNano"], "1544712660302000000");
  EXPECT_EQ(span["attributes"][0]["key"], "rltune.correlation_id");
  EXPECT_EQ(span["attributes"][1]["value"]["stringValue"], "climate");
  EXPECT_EQ(span["attributes"][2]["value"]["intValue"], "3") << "64 bits are text in the JSON of Protocol Buffers";
  EXPECT_EQ(span["attributes"][3]["value"]["doubleValue"], 0.5);
  EXPECT_EQ(span["status"]["code"], 2);
  EXPECT_EQ(json["resourceSpans"][0]["resource"]["attributes"][0]["value"]["stringValue"], "io");
}

TEST(Otlp, the_span_that_begins_a_trace_has_no_parent) {
  trace::Record record = example();
  record.parent = {};
  const auto json = nlohmann::json::parse(to_json(to_otlp({"north", "io"}, {&record, 1})));
  EXPECT_FALSE(json["resourceSpans"][0]["scopeSpans"][0]["spans"][0].contains("parentSpanId"));
}

}  // namespace
}  // namespace rltune::tracing
