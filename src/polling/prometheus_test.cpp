// A Prometheus that asks the same endpoint by the same targets.json has the same series and values.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "../../tests/system/child_process.hpp"
#include "manual_clock.hpp"
#include "rltune/base/file.hpp"
#include "rltune/http/client.hpp"
#include "rltune/metrics/endpoint.hpp"
#include "rltune/polling/poller.hpp"
#include "temporary_folder.hpp"

namespace rltune::polling {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
// A value by name and labels: {"__name__": ..., "job": ...}. As text, so that NaN equals itself.
using Series = std::map<std::string, std::string>;

std::string shown(double value) { return std::isnan(value) ? "NaN" : std::format("{}", value); }

// Of what moves by itself nobody has the same.
bool moves(const std::string& name) { return name.starts_with("process_") || name.starts_with("scrape_"); }

Series of_prometheus(const std::string& where) {
  const auto said =
      http::Client().send({.method = "GET", .url = "http://" + where + "/api/v1/query?query=%7Bjob=%22rltune%22%7D"});
  const auto answer = json::parse(said ? said->body : "", nullptr, false);
  Series series;
  if (!answer.is_object() || answer.value("status", "") != "success") return series;
  for (const json& one : answer["data"]["result"]) {
    const std::string text = one["value"][1];
    const double value = text == "NaN" ? std::nan("") : std::stod(text);
    if (!moves(one["metric"]["__name__"])) series.emplace(one["metric"].dump(), shown(value));
  }
  return series;
}

Series of_batch(const std::vector<telemetry::MetricSample>& batch) {
  Series series;
  for (const telemetry::MetricSample& sample : batch) {
    json labels = sample.labels;
    labels["__name__"] = sample.name;
    // An empty label is none to Prometheus.
    for (const auto& [name, value] : sample.labels)
      if (value.empty()) labels.erase(name);
    if (!moves(sample.name)) series.emplace(labels.dump(), shown(sample.value));
  }
  return series;
}

TEST(Prometheus, that_asks_the_same_endpoint_has_the_same_series_and_values) {
  const TemporaryFolder folder;
  ManualClock clock;
  metrics::Operations operations("io", clock);
  metrics::Registry& registry = operations.registry;
  registry.counter("rltune_a_total", "Some", {{"what", "quote \" slash \\ line\n é 温室"}, {"site", "its own"}})
      .add(1e17);
  registry.counter("rltune_a_total", "Some", {{"what", ""}}).add(0.1);
  registry.gauge("rltune_b", "Others").set(std::nan(""));
  registry.gauge("rltune_c", "Others").set(-1.0 / 3.0);
  registry.gauge("rltune_d", "Others").set(std::numeric_limits<double>::infinity());
  for (const double value : {1e-6, 0.003, 0.5, 100.0}) registry.histogram("rltune_e_seconds", "Times").observe(value);
  operations.open();
  ASSERT_TRUE(
      write_file(folder.path() / "targets.json",
                 json{{{"targets", {operations.address()}}, {"labels", {{"site", "pilot"}, {"role", "io"}}}}}.dump()));
  ASSERT_TRUE(write_file(folder.path() / "prometheus.yml",
                         "global: {scrape_interval: 300ms, scrape_timeout: 300ms}\nscrape_configs:\n"
                         "  - job_name: rltune\n    file_sd_configs:\n      - files: ['" +
                             (folder.path() / "targets.json").string() + "']\n"));
  const std::string where = "127.0.0.1:" + std::to_string(testing::free_port());
  testing::ChildProcess prometheus(
      {"/usr/bin/prometheus", "--config.file=" + (folder.path() / "prometheus.yml").string(),
       "--storage.tsdb.path=" + (folder.path() / "tsdb").string(), "--web.listen-address=" + where},
      (folder.path() / "prometheus.log").string());

  std::vector<telemetry::MetricSample> batch;
  Poller poller(
      clock, {.every = 15s}, [&] { return read_targets(folder.path()).value(); },
      [&](std::vector<telemetry::MetricSample> taken) { batch = std::move(taken); });
  ASSERT_TRUE(poller.turn());
  const Series ours = of_batch(batch);
  EXPECT_GT(ours.size(), 20U);
  Series theirs;
  for (const auto end = std::chrono::steady_clock::now() + 30s;
       theirs.size() < ours.size() && std::chrono::steady_clock::now() < end; std::this_thread::sleep_for(50ms))
    theirs = of_prometheus(where);
  EXPECT_EQ(theirs, ours) << read_file(folder.path() / "prometheus.log").value_or("");
}

}  // namespace
}  // namespace rltune::polling
