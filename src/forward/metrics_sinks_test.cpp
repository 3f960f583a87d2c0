// Metrics to VictoriaMetrics, by each protocol that it and we speak, and to Prometheus, read back by their own API.
#include <gmock/gmock.h>

#include <cmath>
#include <map>

#include "../../tests/system/child_process.hpp"
#include "forward_fixture.hpp"
#include "rltune/base/file.hpp"
#include "rltune/http/client.hpp"

namespace rltune::forward {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using rltune::testing::ChildProcess;
using ::testing::HasSubstr;

constexpr const char* kVictoriaMetrics = "/usr/bin/victoria-metrics";

class MetricsSinksTest : public ForwardFixture {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kVictoriaMetrics)) GTEST_SKIP() << "victoria-metrics is not installed";
    const int port = rltune::testing::free_port();
    url_ = "http://127.0.0.1:" + std::to_string(port);
    server_.emplace(
        std::vector<std::string>{kVictoriaMetrics, "-storageDataPath=" + (folder_.path() / "vm").string(),
                                 "-httpListenAddr=127.0.0.1:" + std::to_string(port), "-retentionPeriod=100y",
                                 "-memory.allowedBytes=64MB", "-loggerLevel=ERROR"},
        "/dev/null");
    ASSERT_TRUE(eventually([&] { return ask("/health") == "OK"; }));
  }
  std::string ask(const std::string& path) const {
    http::Client client;
    const auto response = client.send({.method = "GET", .url = url_ + path});
    return response ? response->body : "";
  }
  // Every series, by name and labels, with its samples.
  std::map<json, std::map<std::int64_t, json>> series() const {
    ask("/internal/force_flush");
    std::istringstream lines(ask("/api/v1/export?match[]=%7B__name__!=%22%22%7D"));
    std::map<json, std::map<std::int64_t, json>> all;
    for (std::string line; std::getline(lines, line);) {
      const json one = json::parse(line);
      for (std::size_t i = 0; i < one["values"].size(); ++i)
        all[one["metric"]][one["timestamps"][i].get<std::int64_t>()] = one["values"][i];
    }
    return all;
  }
  void forward(const std::string& kind, const std::string& path) {
    const auto forwarder =
        start({.name = "store", .kind = kind, .url = url_ + path, .interval_s = 0.01}, "metrics", 5s);
    const std::uint64_t last = source_.acknowledged();
    EXPECT_TRUE(eventually([&] { return forwarder->taken() == last; })) << forwarder->figures().trouble;
    refused_ = forwarder->figures().refused;
    dead_letters_ = read_file(folder_.path() / "progress/dead-letters.ndjson").value_or("");
  }

  std::string url_;
  std::optional<ChildProcess> server_;
  std::uint64_t refused_ = 0;
  std::string dead_letters_;
};

const std::int64_t kNow = 1'756'116'000'000;

TEST_F(MetricsSinksTest, remote_write_brings_every_sample_of_every_series) {
  // Not in order of time, labels not in order of name, and a site of its own.
  for (int i = 99; i >= 0; --i)
    for (const char* role : {"io", "agent"})
      add_metric({"rltune_role_up", {{"role", role}, {"a", "ü \"x\"\\"}}, kNow + i * 1000, i + 0.5});
  add_metric({"rltune_steps_bucket", {{"le", "+Inf"}, {"site", "south"}}, kNow, 7});
  add_metric({"rltune_limit", {}, kNow, INFINITY});
  forward("remote_write", "/api/v1/write");
  EXPECT_EQ(refused_, 0U);
  const auto all = series();
  for (const char* role : {"io", "agent"}) {
    const auto& samples =
        all.at({{"__name__", "rltune_role_up"}, {"a", "ü \"x\"\\"}, {"role", role}, {"site", "north"}});
    ASSERT_EQ(samples.size(), 100U);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(samples.at(kNow + i * 1000), i + 0.5);
  }
  EXPECT_EQ(all.at({{"__name__", "rltune_steps_bucket"}, {"le", "+Inf"}, {"site", "south"}}).at(kNow), 7);
  EXPECT_EQ(all.at({{"__name__", "rltune_limit"}, {"site", "north"}}).at(kNow), "Infinity");
}

TEST_F(MetricsSinksTest, the_line_protocol_of_both_versions_brings_them_as_well) {
  for (const char* path : {"/api/v2/write?bucket=b&org=o", "/write?db=rltune"}) {
    forget_progress();
    source_.add({telemetry::to_payload({"rltune_a", {{"tag", "a b,c=d"}, {"end", "x\\"}, {"none", ""}}, kNow, 0.1}),
                 telemetry::to_payload({"rltune_a", {{"tag", "two\nlines"}}, kNow + 1, -1e300})});
    forward("influx", path);
    EXPECT_EQ(refused_, 0U) << dead_letters_;
  }
  const auto all = series();
  EXPECT_EQ(
      all.at({{"__name__", "rltune_a_value"}, {"db", "rltune"}, {"end", "x/"}, {"site", "north"}, {"tag", "a b,c=d"}})
          .at(kNow),
      0.1);
  EXPECT_EQ(
      all.at({{"__name__", "rltune_a_value"}, {"db", "rltune"}, {"site", "north"}, {"tag", "two lines"}}).at(kNow + 1),
      -1e300);
}

TEST_F(MetricsSinksTest, what_the_line_protocol_cannot_say_is_a_dead_letter) {
  add_metric({"rltune_a", {}, kNow, NAN});
  add_metric({"rltune_a", {}, kNow, 1});
  source_.add({"no sample"});
  forward("influx", "/write");
  EXPECT_EQ(refused_, 2U);
  EXPECT_EQ(series().size(), 1U);
}

TEST_F(MetricsSinksTest, otlp_brings_gauges) {
  for (int i = 0; i < 10; ++i) add_metric({"rltune_role_up", {{"role", "io"}}, kNow + i * 1000, i * 1.5});
  forward("otlp", "/opentelemetry/");
  EXPECT_EQ(refused_, 0U);
  const auto all = series();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_THAT(all.begin()->first.dump(), HasSubstr("rltune_role_up"));
  EXPECT_THAT(all.begin()->first.dump(), HasSubstr("\"role\":\"io\""));
  EXPECT_EQ(all.begin()->second.at(kNow + 9000), 13.5);
}

class PrometheusTest : public MetricsSinksTest {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kPrometheus)) GTEST_SKIP() << "prometheus is not installed";
    const std::string address = "127.0.0.1:" + std::to_string(rltune::testing::free_port());
    const std::string config = (folder_.path() / "prometheus.yml").string();
    ASSERT_TRUE(write_file(config, "storage: {tsdb: {out_of_order_time_window: 1h}}\n"));
    url_ = "http://" + address;
    server_.emplace(
        std::vector<std::string>{kPrometheus, "--config.file=" + config, "--web.enable-remote-write-receiver",
                                 "--storage.tsdb.path=" + (folder_.path() / "data").string(),
                                 "--web.listen-address=" + address},
        "/dev/null");
    ASSERT_TRUE(eventually([&] { return ask("/-/ready").contains("Ready"); }));
  }
  static constexpr const char* kPrometheus = "/usr/bin/prometheus";
};

// Without the window it answers 400 to every sample that is older than the series' newest, also to one that it has.
TEST_F(PrometheusTest, a_batch_that_comes_again_changes_nothing_where_old_samples_are_let_in) {
  const auto now_ms = clock_.now().time_since_epoch() / 1ms;
  for (int i = 0; i < 20; ++i) add_metric({"rltune_a", {}, now_ms - 100'000 + i * 1000, i + 0.5});
  for (int turn = 0; turn < 2; ++turn) {
    forget_progress();
    forward("remote_write", "/api/v1/write");
    EXPECT_EQ(refused_, 0U) << dead_letters_;
  }
  const json answer = json::parse(ask("/api/v1/query?query=count_over_time(rltune_a%5B5m%5D)"));
  EXPECT_EQ(answer["data"]["result"][0]["value"][1], "20") << answer;
}

}  // namespace
}  // namespace rltune::forward
