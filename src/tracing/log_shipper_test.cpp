#include "log_shipper.hpp"

#include <CivetServer.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <set>

#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::tracing {
namespace {

using namespace std::chrono_literals;

// Takes entries as the telemetry role does: 202, or 400 for a body that has one without a message.
class Taker final : public CivetHandler {
 public:
  bool handlePost(CivetServer*, mg_connection* connection) override {
    const std::string body = CivetServer::getPostData(connection);
    const char* token = mg_get_header(connection, "Authorization");
    int answer = status;
    if (token == nullptr || std::string(token) != "Bearer secret") answer = 401;
    if (answer == 202 && body.find("\"message\":\"\"") != std::string::npos) answer = 400;
    if (answer == 202) keep(body);
    mg_printf(connection, "HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", answer);
    return true;
  }
  std::vector<nlohmann::json> entries() {
    const std::scoped_lock lock(mutex_);
    return entries_;
  }
  std::atomic<int> status = 202;

 private:
  void keep(const std::string& body) {
    const std::scoped_lock lock(mutex_);
    std::istringstream lines(body);
    for (std::string line; std::getline(lines, line);) entries_.push_back(nlohmann::json::parse(line));
  }
  std::mutex mutex_;
  std::vector<nlohmann::json> entries_;
};

class LogShipperTest : public testing::Test {
 protected:
  LogShipperTest() : server_(std::vector<std::string>{"listening_ports", "127.0.0.1:0"}) {
    server_.addHandler("/v1/logs$", taker_);
    log::start("io");
  }
  void announce() {
    const std::string url = std::format("http://127.0.0.1:{}", server_.getListeningPorts().front());
    ASSERT_TRUE(write_file(file(), nlohmann::json{{"url", url}, {"token", "secret"}}.dump()));
  }
  std::filesystem::path file() const { return folder_.path() / "telemetry.json"; }
  LogShipper::Options options() const { return {.endpoint_file = file(), .role = "io", .every = 5ms}; }
  template <typename Condition>
  static bool comes_true(Condition condition) {
    for (const auto end = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < end;) {
      if (condition()) return true;
      std::this_thread::yield();
    }
    return false;
  }
  double counted(const std::string& outcome) {
    return registry_.counter("rltune_role_log_entries_total", "", {{"outcome", outcome}}).value();
  }

  TemporaryFolder folder_;
  Taker taker_;
  CivetServer server_;
  metrics::Registry registry_{"io"};
};

TEST_F(LogShipperTest, what_is_logged_arrives_as_entries_with_ids_of_their_own) {
  announce();
  {
    LogShipper shipper(options(), registry_);
    const log::Correlation call("abc-1");
    log::warning("heating is slow", {{"agent", "climate"}});
    log::info("second");
  }
  const auto entries = taker_.entries();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0]["service"], "io");
  EXPECT_EQ(entries[0]["level"], "WARNING");
  EXPECT_EQ(entries[0]["message"], "heating is slow");
  EXPECT_EQ(entries[0]["correlation_id"], "abc-1");
  EXPECT_EQ(entries[0]["attributes"]["agent"], "climate");
  EXPECT_NE(entries[0]["id"], entries[1]["id"]);
  EXPECT_EQ(counted("sent"), 2.0);
}

TEST_F(LogShipperTest, what_finds_no_room_while_nobody_takes_it_is_counted_and_told_of) {
  auto small = options();
  small.lines_max = 4;
  LogShipper shipper(small, registry_);
  for (int i = 0; i < 500; ++i) log::info("line");
  announce();
  ASSERT_TRUE(comes_true([&] {
    log::info("again");
    for (const auto& entry : taker_.entries())
      if (entry["message"].get<std::string>().starts_with("log entries found no room")) return true;
    return false;
  }));
  std::set<std::string> ids;
  double told = 0.0;
  for (const auto& entry : taker_.entries()) {
    EXPECT_TRUE(ids.insert(entry["id"]).second);
    if (entry.contains("attributes") && entry["attributes"].contains("entries"))
      told += std::stod(entry["attributes"]["entries"].get<std::string>());
  }
  EXPECT_GE(told, 1.0);
  EXPECT_LE(told, counted("dropped"));
}

TEST_F(LogShipperTest, one_that_is_refused_costs_no_other) {
  announce();
  {
    LogShipper shipper(options(), registry_);
    log::info("before");
    log::info("");
    log::info("after");
  }
  std::vector<std::string> messages;
  for (const auto& entry : taker_.entries()) messages.push_back(entry["message"]);
  EXPECT_EQ(messages, (std::vector<std::string>{"before", "after"}));
  EXPECT_EQ(counted("refused"), 1.0);
}

TEST_F(LogShipperTest, what_a_server_in_trouble_does_not_take_is_sent_again) {
  announce();
  taker_.status = 503;
  LogShipper shipper(options(), registry_);
  log::info("waits");
  ASSERT_TRUE(comes_true([&] {
    taker_.status = 202;
    return !taker_.entries().empty();
  }));
  EXPECT_EQ(taker_.entries().front()["message"], "waits");
}

}  // namespace
}  // namespace rltune::tracing
