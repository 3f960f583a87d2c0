// Logs as OpenTelemetry's own messages read them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "encoding.hpp"
#include "memory_source.hpp"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"

namespace rltune::forward {
namespace {

using Request = opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using Response = opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse;

Batch batch_of(const std::vector<std::string>& entries) {
  Batch batch{.buffer_id = kBuffer, .site = "north", .stream = "logs", .range = {1, entries.size()}};
  for (const std::string& entry : entries)
    batch.records.push_back({batch.records.size() + 1, record_id(kBuffer, "logs", batch.records.size() + 1), "north",
                             1'756'116'001'000'000'000, entry});
  return batch;
}

TEST(OtlpLogs, an_entry_is_a_log_record_of_its_service) {
  const auto encoding = make_otlp_encoding();
  const Encoded encoded = encoding->encode(batch_of(
      {R"({"timestamp":"2025-08-25T10:00:00Z","service":"io","level":"WARNING","message":"hot","correlation_id":"c-1",)"
       R"("attributes":{"steps":12,"ratio":0.5,"ok":true,"who":"a","none":null}})",
       R"({"timestamp":"2025-08-25T10:00:00Z","service":"agent","level":"CRITICAL","message":"m"})", "broken"}));
  ASSERT_EQ(encoded.unfit.size(), 1U);
  EXPECT_EQ(encoded.unfit[0].sequence, 3U);
  Request request;
  ASSERT_TRUE(request.ParseFromString(encoded.body));
  ASSERT_EQ(request.resource_logs_size(), 2);
  EXPECT_EQ(request.resource_logs(0).resource().attributes(0).value().string_value(), "io");
  const auto& log = request.resource_logs(0).scope_logs(0).log_records(0);
  EXPECT_EQ(log.time_unix_nano(), 1'756'116'000'000'000'000U);
  EXPECT_EQ(log.severity_number(), opentelemetry::proto::logs::v1::SEVERITY_NUMBER_WARN);
  EXPECT_EQ(log.severity_text(), "WARNING");
  EXPECT_EQ(log.body().string_value(), "hot");
  std::map<std::string, opentelemetry::proto::common::v1::AnyValue> attributes;
  for (const auto& attribute : log.attributes()) attributes[attribute.key()] = attribute.value();
  EXPECT_EQ(attributes["rltune.record_id"].string_value(), kBuffer + "-logs-1");
  EXPECT_EQ(attributes["rltune.correlation_id"].string_value(), "c-1");
  EXPECT_EQ(attributes["steps"].int_value(), 12);
  EXPECT_EQ(attributes["ratio"].double_value(), 0.5);
  EXPECT_TRUE(attributes["ok"].bool_value());
  EXPECT_EQ(attributes["who"].string_value(), "a");
}

TEST(OtlpLogs, a_partial_success_is_counted_with_its_reason) {
  const auto encoding = make_otlp_encoding();
  Response response;
  response.mutable_partial_success()->set_rejected_log_records(2);
  response.mutable_partial_success()->set_error_message("too old");
  const Outcome outcome =
      encoding->judge(batch_of({"{}"}), {.status = 200, .headers = {}, .body = response.SerializeAsString()});
  EXPECT_EQ(outcome.kind, Outcome::Kind::delivered);
  EXPECT_EQ(outcome.refused_unnamed, 2U);
  EXPECT_THAT(outcome.reason, ::testing::HasSubstr("too old"));
  EXPECT_EQ(encoding->judge(batch_of({"{}"}), {.status = 200}).refused_unnamed, 0U);
  EXPECT_EQ(encoding->url("https://c/", "logs"), "https://c/v1/logs");
  EXPECT_EQ(encoding->url("https://c/v1/logs", "logs"), "https://c/v1/logs");
}

TEST(Statuses, each_is_for_later_for_a_person_or_about_the_records) {
  const auto kind_of = [](long status) { return judge_status({.status = status}, "host", "", TimePoint{}).kind; };
  for (const long status : {408L, 425L, 429L, 500L, 502L, 503L, 504L, 507L, 599L})
    EXPECT_EQ(kind_of(status), Outcome::Kind::again) << status;
  for (const long status : {301L, 302L, 401L, 403L, 404L, 405L, 407L, 415L})
    EXPECT_EQ(kind_of(status), Outcome::Kind::denied) << status;
  for (const long status : {400L, 409L, 413L, 422L}) EXPECT_EQ(kind_of(status), Outcome::Kind::refused) << status;
}

TEST(Statuses, a_wish_to_wait_is_seconds_or_a_date) {
  const TimePoint now = parse_rfc3339("2015-10-21T07:27:00Z").value();
  const auto wish = [&](const std::string& text) {
    return judge_status({.status = 429, .headers = {{"retry-after", text}}, .body = ""}, "host", "", now).retry_after;
  };
  EXPECT_EQ(wish("120"), std::chrono::seconds(120));
  EXPECT_EQ(wish("Wed, 21 Oct 2015 07:28:00 GMT"), std::chrono::seconds(60)) << "RFC 9110, 10.2.3";
  EXPECT_EQ(wish("Wed, 21 Oct 2015 07:26:00 GMT"), std::chrono::seconds(0));
  for (const char* text : {"Fri, 31 Dec 9999 23:59:59 GMT", "99999999999"})
    EXPECT_EQ(wish(text), std::chrono::hours(24)) << text << ": a day is the longest";
  EXPECT_EQ(wish("soon"), std::nullopt);
  EXPECT_EQ(wish("-1"), std::nullopt);
}

}  // namespace
}  // namespace rltune::forward
