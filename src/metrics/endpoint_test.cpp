#include "rltune/metrics/endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "http_get.hpp"
#include "manual_clock.hpp"
#include "time_limit.hpp"

namespace rltune::metrics {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class EndpointTest : public testing::Test {
 protected:
  ManualClock clock_{TimePoint(24h)};
  Operations operations_{"io", clock_, 5s};
};

TEST_F(EndpointTest, serves_metrics_and_health_on_a_free_port) {
  operations_.registry.counter("rltune_data_health_samples_total", "Samples").add(7.0);
  operations_.open();
  ASSERT_TRUE(operations_.address().starts_with("127.0.0.1:"));
  const auto metrics = http_get(operations_.address(), "/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.head, HasSubstr("text/plain; version=0.0.4"));
  EXPECT_THAT(metrics.body, HasSubstr("rltune_data_health_samples_total 7\n"));
  const auto health = http_get(operations_.address(), "/healthcheck");
  EXPECT_EQ(health.status, 200);
  EXPECT_EQ(nlohmann::json::parse(health.body)["status"], "ok");
}

TEST_F(EndpointTest, a_failing_check_is_503) {
  operations_.open();
  operations_.health.report({{"plant", false, "nobody answers"}});
  const auto health = http_get(operations_.address(), "/healthcheck");
  EXPECT_EQ(health.status, 503);
  EXPECT_EQ(nlohmann::json::parse(health.body)["checks"]["plant"]["detail"], "nobody answers");
}

TEST_F(EndpointTest, nothing_else_is_served) {
  operations_.open();
  for (const char* path : {"/", "/etc/passwd", "/../../etc/passwd", "/metricsx", "/healthcheck/x"})
    EXPECT_NE(http_get(operations_.address(), path).status, 200) << path;
}

TEST_F(EndpointTest, ends_at_once) {
  auto endpoint = Endpoint::start(operations_.registry, operations_.health);
  ASSERT_TRUE(endpoint);
  const auto before = std::chrono::steady_clock::now();
  {
    const Endpoint ends = std::move(*endpoint);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - before, time_limit(500ms));
}

TEST_F(EndpointTest, a_port_that_is_taken_costs_the_endpoint_and_no_more) {
  operations_.open();
  Operations second("agent.climate", clock_);
  const std::string& first = operations_.address();
  second.open(static_cast<std::uint16_t>(std::stoi(first.substr(first.find(':') + 1))));
  EXPECT_EQ(second.address(), "");
}

// Of every thread but this one: who takes its signals.
TEST_F(EndpointTest, its_threads_leave_the_signals_to_the_loop) {
  operations_.open();
  int others = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    if (task.path().filename() == std::to_string(::getpid())) continue;
    ++others;
    std::ifstream file(task.path() / "status");
    std::string word, mask;
    while (file >> word)
      if (word == "SigBlk:") file >> mask;
    EXPECT_NE(std::stoull(mask, nullptr, 16) >> (SIGTERM - 1) & 1U, 0U) << task.path();
  }
  EXPECT_GT(others, 0);
}

}  // namespace
}  // namespace rltune::metrics
