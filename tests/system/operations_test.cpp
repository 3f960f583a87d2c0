// What an operator's tools see of a running site: every role's endpoints, a real Prometheus that scrapes them, and log
// levels that change while it runs.
#include <fstream>

#include "http_get.hpp"
#include "pilot_site.hpp"
#include "rltune/v1/operations.pb.h"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using metrics::http_get;
using testing::PilotSite;

class Operations : public ::testing::Test {
 protected:
  void start(testing::PilotOptions options = {}) {
    options.lockstep = false;
    options.period_s = 0.2;
    options.learning = true;
    site_ = std::make_unique<PilotSite>(options);
    ASSERT_NO_FATAL_FAILURE(site_->start());
    ASSERT_TRUE(site_->decides(10)) << site_->everything();
  }
  std::string endpoint(const std::string& role) {
    std::string found;
    PilotSite::eventually([&] { return !(found = site_->role(role).endpoint()).empty(); }, 20s);
    return found;
  }
  std::string coredinators() {
    const auto health = site_->ask<v1::HealthAnswer>("coredinator", "coredinator.Health", v1::HealthRequest());
    return health ? health->endpoint() : "";
  }
  nlohmann::json checks(const std::string& address) {
    return nlohmann::json::parse(http_get(address, "/healthcheck").body, nullptr, false)["checks"];
  }
  // Runs a program of the environment to its end; its stdout.
  static std::string output_of(const std::string& command) {
    std::string text;
    FILE* pipe = ::popen(command.c_str(), "r");
    char bytes[4096];
    for (std::size_t count = 0; (count = ::fread(bytes, 1, sizeof bytes, pipe)) > 0;) text.append(bytes, count);
    const int status = ::pclose(pipe);
    return status == 0 ? text : "exit " + std::to_string(status) + ": " + text;
  }

  std::unique_ptr<PilotSite> site_;
};

TEST_F(Operations, every_role_serves_its_health_and_its_metrics) {
  ASSERT_NO_FATAL_FAILURE(start());
  for (const std::string role : {"io", "agent.climate", "learner.climate", "telemetry"}) {
    const std::string address = endpoint(role);
    ASSERT_FALSE(address.empty()) << role << site_->everything();
    EXPECT_TRUE(PilotSite::eventually([&] { return http_get(address, "/healthcheck").status == 200; }, 20s))
        << http_get(address, "/healthcheck").body;
    const auto metrics = http_get(address, "/metrics");
    EXPECT_EQ(metrics.status, 200);
    EXPECT_NE(metrics.body.find("rltune_role_info{role=\"" + role), std::string::npos);
    // The practices of Prometheus' own checker: names, units, types, help.
    std::ofstream(site_->path("metrics.txt")) << metrics.body;
    EXPECT_EQ(output_of("promtool check metrics <" + site_->path("metrics.txt") + " 2>&1"), "") << role;
  }
  EXPECT_TRUE(PilotSite::eventually([&] { return http_get(coredinators(), "/healthcheck").status == 200; }, 20s))
      << http_get(coredinators(), "/healthcheck").body;
  EXPECT_EQ(checks(endpoint("io"))["plant"]["ok"], true);
  EXPECT_EQ(checks(endpoint("agent.climate"))["policy"]["detail"], site_->policy_sha256());
}

TEST_F(Operations, a_plant_that_is_gone_and_an_agent_that_hangs_show_within_seconds) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string io = endpoint("io"), agent = endpoint("agent.climate");
  ASSERT_TRUE(PilotSite::eventually([&] { return http_get(io, "/healthcheck").status == 200; }, 20s));
  site_->twin().signal(SIGKILL);
  ASSERT_TRUE(PilotSite::eventually([&] { return http_get(io, "/healthcheck").status == 503; }, 10s));
  EXPECT_EQ(checks(io)["plant"]["ok"], false);
  EXPECT_EQ(checks(io)["store"]["ok"], true);
  EXPECT_FALSE(checks(io)["plant"]["detail"].get<std::string>().empty());
  ASSERT_TRUE(PilotSite::eventually([&] { return http_get(coredinators(), "/healthcheck").status == 503; }, 10s));
}

TEST_F(Operations, prometheus_scrapes_a_running_site_and_answers_queries) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string targets = site_->path("run/targets.json");
  ASSERT_TRUE(PilotSite::eventually(
      [&] { return read_file(targets).value_or("").find("learner.climate") != std::string::npos; }, 20s));
  ASSERT_TRUE(write_file(site_->path("prometheus.yml"),
                         "global: {scrape_interval: 500ms, scrape_timeout: 500ms}\nscrape_configs:\n"
                         "  - job_name: rltune\n    file_sd_configs:\n      - files: ['" +
                             targets + "']\n"));
  const std::string where = "127.0.0.1:" + std::to_string(testing::free_port());
  testing::ChildProcess prometheus({"/usr/bin/prometheus", "--config.file=" + site_->path("prometheus.yml"),
                                    "--storage.tsdb.path=" + site_->path("tsdb"), "--web.listen-address=" + where},
                                   site_->path("prometheus.log"));
  const auto query = [&](const std::string& expression) {
    const auto answer =
        nlohmann::json::parse(http_get(where, "/api/v1/query?query=" + expression).body, nullptr, false);
    if (!answer.is_object() || answer.value("status", "") != "success" || answer["data"]["result"].empty())
      return std::nan("");
    return std::stod(answer["data"]["result"][0]["value"][1].get<std::string>());
  };
  // Five roles are up, and the figures of each family are there and move.
  ASSERT_TRUE(PilotSite::eventually([&] { return query("sum(up%7Bjob=%22rltune%22%7D)") == 5.0; }, 60s))
      << read_file(site_->path("prometheus.log")).value_or("") << http_get(where, "/api/v1/targets").body;
  const auto positive = [&](const std::string& expression) {
    return PilotSite::eventually([&] { return query(expression) > 0.0; }, 30s);
  };
  EXPECT_TRUE(positive("count(rltune_process_data_tag_value)"));
  EXPECT_TRUE(positive("rltune_data_health_samples_total%7Bquality=%22good%22%7D"));
  EXPECT_TRUE(positive("rltune_agent_health_attached%7Bagent=%22climate%22%7D"));
  EXPECT_TRUE(positive("rate(rltune_agent_performance_decisions_total%7Borigin=%22policy%22%7D%5B5s%5D)"));
  EXPECT_TRUE(positive("histogram_quantile(0.99,rltune_agent_performance_sample_to_write_seconds_bucket)"));
  EXPECT_TRUE(positive("sum(rltune_business_value_periods_total)"));
  EXPECT_TRUE(positive("rltune_data_health_plant_connected"));
  // What Prometheus counts is what io itself says.
  const double scraped = query("sum(rltune_agent_performance_decisions_total)");
  EXPECT_LE(scraped, static_cast<double>(site_->decisions()));
  EXPECT_GT(scraped, 0.0);
  // A role that is killed comes back on another port, and Prometheus follows.
  ::kill(site_->role("io").pid(), SIGKILL);
  EXPECT_TRUE(PilotSite::eventually(
      [&] { return query("rltune_agent_health_role_restarts_total%7Bof=%22io%22%7D") >= 1.0; }, 30s));
  EXPECT_TRUE(PilotSite::eventually([&] { return query("sum(up%7Brole=%22io%22%7D)") == 1.0; }, 60s));
}

TEST_F(Operations, a_log_level_changes_while_the_role_runs) {
  ASSERT_NO_FATAL_FAILURE(start());
  // Nobody waits for it at the start.
  ASSERT_TRUE(PilotSite::eventually([&] { return site_->role("telemetry").state() == "healthy"; }, 20s));
  const std::string call = std::string(RLTUNE_BIN_DIR) + "/rltune log level " + site_->site_file() + " --run-folder " +
                           site_->run_folder() + " --json ";
  const auto all = nlohmann::json::parse(output_of(call), nullptr, false);
  ASSERT_TRUE(all.is_object());
  for (const char* role : {"coredinator", "io", "agent.climate", "learner.climate", "telemetry"})
    EXPECT_EQ(all["roles"][role]["level"], "INFO") << role;
  const auto changed = nlohmann::json::parse(output_of(call + "climate debug"), nullptr, false);
  EXPECT_EQ(changed["roles"]["agent.climate"]["level"], "DEBUG");
  EXPECT_EQ(changed["roles"]["agent.climate"]["was"], "INFO");
  EXPECT_TRUE(site_->logged("agent.climate", "log level changed", TimePoint{}));
  EXPECT_TRUE(
      PilotSite::eventually([&] { return site_->logged("agent.climate", "proposed", TimePoint{}).has_value(); }, 10s));
  EXPECT_NE(output_of(call + "nobody debug 2>&1").find("there are all, coredinator, io"), std::string::npos);
  EXPECT_NE(output_of(call + "io loud 2>&1").find("choose debug"), std::string::npos);
}

TEST_F(Operations, a_site_may_serve_none_of_it) {
  ASSERT_NO_FATAL_FAILURE(
      start({.edits = {{"rltune/site/v1", "rltune/site/v2"}, {"\nlink:", "\noperations: {endpoints: false}\nlink:"}}}));
  EXPECT_EQ(coredinators(), "");
  EXPECT_EQ(site_->role("io").endpoint(), "");
  EXPECT_FALSE(std::filesystem::exists(site_->path("run/targets.json")));
}

}  // namespace
}  // namespace rltune
