// What a running site keeps of its logs and figures, through a kill of the role that keeps them, and what a person and
// a collector elsewhere see of it.
#include <set>

#include "command_answer.hpp"
#include "http_exchange.hpp"
#include "pilot_site.hpp"
#include "rltune/telemetry/metric_sample.hpp"
#include "rltune/telemetry/record_reader.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::PilotSite;

class TelemetryRole : public ::testing::Test {
 protected:
  void start(const std::string& telemetry) {
    site_ = std::make_unique<PilotSite>(testing::PilotOptions{.lockstep = false, .period_s = 0.2});
    ASSERT_TRUE(write_file(site_->path("site/telemetry.yaml"), "schema: rltune/telemetry/v2\n" + telemetry));
    ASSERT_NO_FATAL_FAILURE(site_->start());
    ASSERT_TRUE(site_->decides(5)) << site_->everything();
    ASSERT_TRUE(PilotSite::eventually([&] { return site_->role("telemetry").state() == "healthy"; }, 20s))
        << site_->everything();
  }
  // stdout of a command about this site.
  json run(const std::string& noun_verb, const std::string& options = {}) {
    const std::string call = std::string(RLTUNE_BIN_DIR) + "/rltune " + noun_verb + " " + site_->site_file() +
                             " --run-folder " + site_->run_folder() + " --json " + options;
    return json::parse(run_command(call, site_->path("")).out, nullptr, false);
  }
  json search(const std::string& options) { return run("log search", options)["entries"]; }
  bool found(const std::string& options) {
    return PilotSite::eventually([&] { return !search(options).empty(); }, 20s);
  }
  json announcement() { return json::parse(read_file(site_->path("run/telemetry.json")).value_or(""), nullptr, false); }
  HttpAnswer post(const std::string& body) {
    const std::string url = announcement()["url"], token = announcement()["token"];
    return http_exchange(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))),
                         "POST /v1/logs\nAuthorization: Bearer " + token, body);
  }

  std::unique_ptr<PilotSite> site_;
};

TEST_F(TelemetryRole, what_every_role_logs_is_found_by_service_level_and_text_also_when_the_site_stands_still) {
  ASSERT_NO_FATAL_FAILURE(start("metrics: {every_s: 1}\n"));
  for (const std::string role : {"io", "agent.climate", "coredinator", "telemetry"})
    EXPECT_TRUE(found("--service " + role)) << role << site_->everything();
  EXPECT_TRUE(found("--service telemetry --text 'TAKES log' --level info"));
  EXPECT_TRUE(search("--service nobody").empty());
  EXPECT_TRUE(search("--until 2020-01-01T00:00:00Z").empty());
  site_->up().signal(SIGTERM);
  ASSERT_TRUE(site_->up().wait(20s));
  const auto last = search("--service telemetry --text 'telemetry ends' --limit 1");
  // It stops last, and what it says then can only be in its own file.
  EXPECT_TRUE(last.empty() || last.size() == 1U);
  EXPECT_FALSE(search("--service io").empty());
}

TEST_F(TelemetryRole, a_kill_loses_nothing_that_was_acknowledged_and_the_loop_goes_on) {
  ASSERT_NO_FATAL_FAILURE(start("metrics: {every_s: 1}\n"));
  const auto entry = [](int i) {
    return std::format(
        R"({{"timestamp":"2026-05-04T12:00:00Z","service":"outside","level":"INFO","message":"number {}","id":"{}"}})",
        i, i);
  };
  std::set<int> acknowledged;
  int next = 0;
  for (int kill = 0; kill < 3; ++kill) {
    for (const int end = next + 20; next < end; ++next)
      if (post(entry(next)).status == 202) acknowledged.insert(next);
    const pid_t was = site_->role("telemetry").pid();
    ::kill(was, SIGKILL);
    ASSERT_TRUE(PilotSite::eventually(
        [&] {
          const auto role = site_->role("telemetry");
          return role.pid() != was && role.state() == "healthy";
        },
        20s))
        << site_->everything();
  }
  EXPECT_EQ(acknowledged.size(), 60U);
  std::set<int> kept;
  for (const json& found : search("--service outside --limit 1000"))
    kept.insert(std::stoi(found["entry"]["id"].get<std::string>()));
  EXPECT_EQ(kept, acknowledged);
  EXPECT_TRUE(site_->decides(5)) << site_->everything();
  // The others find it again.
  EXPECT_TRUE(found("--service coredinator --text 'role is healthy' --since 5s")) << site_->everything();
}

TEST_F(TelemetryRole, figures_of_the_roles_and_of_the_plant_are_kept_with_their_labels) {
  ASSERT_NO_FATAL_FAILURE(start("metrics: {every_s: 1}\n"));
  const auto kept = [&](const std::string& name, const std::string& label, const std::string& value) {
    const auto reader = telemetry::open_to_read(site_->path("site/data/telemetry/metrics"));
    if (!reader) return false;
    for (std::uint64_t next = 1; next <= (*reader)->acknowledged();) {
      const auto batch = (*reader)->read(next, 1U << 20U);
      if (!batch) return false;
      for (const auto& record : batch->records)
        if (const auto sample = telemetry::parse_metric(record.payload);
            sample && sample->name == name && sample->labels.contains(label) && sample->labels.at(label) == value)
          return true;
      next = batch->next;
    }
    return false;
  };
  const auto comes = [&](const std::string& name, const std::string& label, const std::string& value) {
    return PilotSite::eventually([&] { return kept(name, label, value); }, 20s);
  };
  EXPECT_TRUE(comes("up", "role", "io")) << site_->everything();
  EXPECT_TRUE(comes("up", "role", "telemetry"));
  EXPECT_TRUE(comes("rltune_agent_health_attached", "agent", "climate"));
  EXPECT_EQ(run("telemetry status")["streams"]["metrics"]["trouble"], "");
}

TEST_F(TelemetryRole, senders_without_the_token_are_refused_and_health_is_open) {
  ASSERT_NO_FATAL_FAILURE(start("metrics: {enabled: false}\n"));
  const std::string url = announcement()["url"];
  const auto port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  EXPECT_EQ(http_exchange(port, "POST /v1/logs", "{}").status, 401);
  EXPECT_EQ(http_exchange(port, "POST /v1/logs\nAuthorization: Bearer wrong", "{}").status, 401);
  EXPECT_EQ(http_exchange(port, "POST /v1/logs", std::string(3'000'000, ' ')).status, 413);
  EXPECT_EQ(http_exchange(port, "GET /v1/logs").status, 401);
  EXPECT_EQ(http_exchange(port, "GET /v1/alerts").status, 401);
  EXPECT_EQ(http_exchange(port, "GET /healthcheck").status, 200);
  EXPECT_EQ(std::filesystem::status(site_->path("run/telemetry.json")).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(post("not an entry").status, 400);
}

TEST_F(TelemetryRole, opentelemetrys_own_exporters_log_here) {
  if (!std::filesystem::exists(RLTUNE_SOURCE_DIR "/tests/peers/node_modules/@opentelemetry/sdk-logs"))
    GTEST_SKIP() << "the npm packages of tests/peers are not installed; ./dev build fetches them";
  ASSERT_NO_FATAL_FAILURE(start("metrics: {enabled: false}\n"));
  const std::string url = announcement()["url"], token = announcement()["token"];
  for (const std::string encoding : {"proto", "json"}) {
    testing::ChildProcess exporter({"/usr/bin/node", RLTUNE_SOURCE_DIR "/tests/peers/otlp_logs.mjs", "--url",
                                    url + "/v1/logs", "--token", token, "--encoding", encoding, "--entries", "250"},
                                   site_->path("exporter.log"));
    const auto line = exporter.read_line(60s);
    ASSERT_TRUE(line) << read_file(site_->path("exporter.log")).value_or("");
    EXPECT_EQ(json::parse(*line)["exported"], 250);
    const json entries = search("--service outside." + encoding + " --limit 1000");
    ASSERT_EQ(entries.size(), 250U) << encoding;
    // Its batches come side by side.
    const auto seventh = std::ranges::find_if(
        entries, [](const json& found) { return found["entry"]["message"] == "flow above its limit 7"; });
    ASSERT_NE(seventh, entries.end()) << encoding;
    EXPECT_EQ((*seventh)["entry"]["level"], "WARNING");
    EXPECT_EQ((*seventh)["entry"]["attributes"]["degrees"], 90.5);
    EXPECT_EQ((*seventh)["entry"]["attributes"]["pump"], "P-7");
  }
}

TEST_F(TelemetryRole, a_site_may_keep_none_of_it) {
  site_ = std::make_unique<PilotSite>(testing::PilotOptions{.lockstep = false, .period_s = 0.2});
  ASSERT_TRUE(
      write_file(site_->path("site/telemetry.yaml"), "schema: rltune/telemetry/v2\ncollect: {enabled: false}\n"));
  ASSERT_NO_FATAL_FAILURE(site_->start());
  ASSERT_TRUE(site_->decides(10)) << site_->everything();
  EXPECT_EQ(site_->role("telemetry").pid(), 0);
  EXPECT_FALSE(std::filesystem::exists(site_->path("site/data/telemetry")));
}

}  // namespace
}  // namespace rltune
