#include "log_door.hpp"

#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>

#include "rltune/base/clock.hpp"
#include "rltune/forward/gzip.hpp"
#include "temporary_folder.hpp"

namespace rltune::collector {
namespace {

using nlohmann::json;

constexpr const char* kEntry =
    R"({"timestamp":"2025-08-25T10:00:00Z","service":"corerl","level":"INFO","message":"Agent started successfully.","correlation_id":"abc-123"})";

class LogDoor : public testing::Test {
 protected:
  LogDoor() { open({}); }
  void open(const telemetry::BufferOptions& options) {
    intake_.reset();
    auto storage = telemetry::open_folder(folder_.path() / "logs");
    ASSERT_TRUE(storage);
    auto buffer = telemetry::Buffer::open(std::move(*storage), clock_, options);
    ASSERT_TRUE(buffer);
    intake_ = std::make_unique<telemetry::Intake>(std::move(*buffer));
  }
  webserver::Response post(const std::string& body, std::map<std::string, std::string> headers = {}) {
    std::promise<webserver::Response> answer;
    take_logs(*intake_, {.method = "POST", .path = "/v1/logs", .headers = std::move(headers), .body = body},
              clock_.now(), [&](webserver::Response response) { answer.set_value(std::move(response)); });
    return answer.get_future().get();
  }

  TemporaryFolder folder_;
  WallClock clock_;
  std::unique_ptr<telemetry::Intake> intake_;
};

TEST_F(LogDoor, the_documents_entry_is_accepted_when_it_is_durable) {
  const auto answer = post(kEntry);
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(json::parse(answer.body), json::parse(R"({"accepted":1,"first":1,"last":1})"));
  const auto kept = intake_->read(1, 1'000'000);
  ASSERT_EQ(kept->records.size(), 1U);
  EXPECT_EQ(json::parse(kept->records[0].payload), json::parse(kEntry));
}

TEST_F(LogDoor, arrays_and_lines_are_taken_whole) {
  EXPECT_EQ(json::parse(post(std::string("[") + kEntry + "," + kEntry + "]").body)["accepted"], 2);
  EXPECT_EQ(json::parse(post(std::string(kEntry) + "\n" + kEntry + "\n" + kEntry).body)["last"], 5);
}

TEST_F(LogDoor, one_wrong_field_refuses_all_of_them_by_its_name) {
  const std::string wrong = std::string(kEntry).replace(std::string(kEntry).find("INFO"), 4, "LOUD");
  const auto answer = post(std::string(kEntry) + "\n" + wrong);
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.type, "application/problem+json");
  const auto problem = json::parse(answer.body);
  ASSERT_EQ(problem["errors"].size(), 1U);
  EXPECT_EQ(problem["errors"][0]["entry"], 2);
  EXPECT_EQ(problem["errors"][0]["field"], "level");
  EXPECT_EQ(intake_->acknowledged(), 0U);
}

TEST_F(LogDoor, what_is_compressed_is_taken_and_what_would_grow_beyond_the_limit_is_not) {
  EXPECT_EQ(post(forward::gzip(kEntry), {{"content-encoding", "gzip"}}).status, 202);
  EXPECT_EQ(post(forward::gzip(std::string(kBodyBytesMax + 1, ' ')), {{"content-encoding", "gzip"}}).status, 413);
  EXPECT_EQ(post("no gzip", {{"content-encoding", "gzip"}}).status, 400);
  EXPECT_EQ(post(kEntry, {{"content-encoding", "br"}}).status, 415);
  EXPECT_EQ(intake_->acknowledged(), 1U);
}

TEST_F(LogDoor, an_exporter_of_opentelemetry_is_answered_in_its_own_words) {
  const auto answer =
      post(R"({"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"boiler"}}]},)"
           R"("scopeLogs":[{"logRecords":[{"timeUnixNano":"1777896000000000000","severityNumber":13,)"
           R"("body":{"stringValue":"too hot"}}]}]}]})",
           {{"content-type", "application/json"}});
  EXPECT_EQ(answer.status, 200) << answer.body;
  const auto kept = json::parse(intake_->read(1, 1'000'000)->records.at(0).payload);
  EXPECT_EQ(kept["service"], "boiler");
  EXPECT_EQ(kept["level"], "WARNING");
  EXPECT_EQ(kept["message"], "too hot");
}

TEST_F(LogDoor, a_disk_without_room_is_for_later) {
  open({.free_bytes_min = std::numeric_limits<std::uint64_t>::max()});
  const auto answer = post(kEntry);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers.at("Retry-After"), "1");
  EXPECT_NE(answer.body.find("nearly full"), std::string::npos) << answer.body;
}

}  // namespace
}  // namespace rltune::collector
