// One decision is one trace, over processes; the collector is made of OpenTelemetry's own packages.
#include <map>

#include "http_get.hpp"
#include "pilot_site.hpp"
#include "rltune/base/trace.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::ChildProcess;
using testing::PilotSite;

class Traces : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(RLTUNE_SOURCE_DIR "/tests/peers/node_modules/@opentelemetry/otlp-transformer"))
      GTEST_SKIP() << "the npm packages of tests/peers are not installed; ./dev build fetches them";
  }
  void start_collector() {
    collector_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{"/usr/bin/node", RLTUNE_SOURCE_DIR "/tests/peers/collector.mjs", "--port",
                                 std::to_string(port_)},
        site_->path("collector.log"));
    const auto line = collector_->read_line(60s);
    ASSERT_TRUE(line) << read_file(site_->path("collector.log")).value_or("");
    url_ = json::parse(*line)["url"];
  }
  void start(const std::string& traces) {
    ASSERT_TRUE(write_file(site_->path("site/telemetry.yaml"),
                           "schema: rltune/telemetry/v1\ntraces: {enabled: true, sample_ratio: 1, " + traces + "}\n"));
    ASSERT_NO_FATAL_FAILURE(site_->start());
    ASSERT_TRUE(site_->decides(10)) << site_->everything();
  }
  // Takes what the collector has printed, until `enough` of it.
  bool collect(const std::function<bool()>& enough) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (!enough() && std::chrono::steady_clock::now() < deadline) {
      const auto line = collector_->read_line(1s);
      if (!line) continue;
      const json span = json::parse(*line);
      traces_[span["trace"]].push_back(span);
    }
    return enough();
  }
  static const json* find(const std::vector<json>& spans, const std::string& service, const std::string& name) {
    for (const json& span : spans)
      if (span["service"] == service && span["name"] == name) return &span;
    return nullptr;
  }
  // All of a decision that was written.
  const std::vector<json>* whole_decision() const {
    for (const auto& [id, spans] : traces_)
      if (find(spans, "agent.climate", "decision") && find(spans, "agent.climate", "io.Propose") &&
          find(spans, "agent.climate", "agent.decide") && find(spans, "io", "io.Propose") &&
          find(spans, "io", "verdict") && find(spans, "io", "write") && find(spans, "io", "read_back"))
        return &spans;
    return nullptr;
  }
  static std::uint64_t ns(const json& span, const char* when) { return std::stoull(span[when].get<std::string>()); }
  double metric(const std::string& role, const std::string& series) {
    const std::string text = metrics::http_get(site_->role(role).endpoint(), "/metrics").body;
    const std::size_t at = text.find("\n" + series + " ");
    return at == std::string::npos ? -1.0 : std::stod(text.substr(at + series.size() + 2));
  }

  std::unique_ptr<PilotSite> site_ = std::make_unique<PilotSite>(
      testing::PilotOptions{.lockstep = false, .period_s = 0.1, .rule = testing::tight_rule});
  std::unique_ptr<ChildProcess> collector_;
  int port_ = 0;
  std::string url_;
  std::map<std::string, std::vector<json>> traces_;
};

TEST_F(Traces, a_decision_is_one_trace_over_agent_and_io) {
  ASSERT_NO_FATAL_FAILURE(start_collector());
  ASSERT_NO_FATAL_FAILURE(start("url: '" + url_ + "'"));
  ASSERT_TRUE(collect([&] { return whole_decision() != nullptr; })) << site_->everything();
  const std::vector<json>& spans = *whole_decision();
  const json &decision = *find(spans, "agent.climate", "decision"),
             &deciding = *find(spans, "agent.climate", "agent.decide"),
             &asking = *find(spans, "agent.climate", "io.Propose"), &serving = *find(spans, "io", "io.Propose"),
             &verdict = *find(spans, "io", "verdict"), &write = *find(spans, "io", "write"),
             &read_back = *find(spans, "io", "read_back");
  EXPECT_EQ(decision["parent"], "");
  EXPECT_EQ(deciding["parent"], decision["span"]);
  EXPECT_EQ(asking["parent"], decision["span"]);
  EXPECT_EQ(asking["kind"], 3) << "a client's";
  EXPECT_EQ(serving["parent"], asking["span"]);
  EXPECT_EQ(serving["kind"], 2) << "a server's";
  for (const json* step : {&verdict, &write, &read_back}) EXPECT_EQ((*step)["parent"], serving["span"]);

  // In the order of the control cycle; the clock is one, its readings are apart by less than a millisecond.
  constexpr std::uint64_t kApart = 1'000'000;
  EXPECT_LE(ns(decision, "start"), ns(deciding, "start") + kApart);
  EXPECT_LE(ns(deciding, "end"), ns(asking, "start") + kApart);
  EXPECT_LE(ns(asking, "start"), ns(serving, "start") + kApart);
  EXPECT_LE(ns(serving, "start"), ns(verdict, "start") + kApart);
  EXPECT_LE(ns(verdict, "end"), ns(write, "start") + kApart);
  EXPECT_LE(ns(write, "end"), ns(read_back, "start") + kApart);
  EXPECT_LE(ns(read_back, "end"), ns(serving, "end") + kApart);
  EXPECT_LE(ns(serving, "end"), ns(decision, "end") + kApart);

  const std::string correlation = decision["attributes"]["rltune.correlation_id"];
  EXPECT_EQ(correlation.size(), 36U);
  for (const json& span : spans) EXPECT_EQ(span["attributes"]["rltune.correlation_id"], correlation) << span;
  const std::string id = verdict["attributes"]["rltune.decision_id"];
  const auto recorded = site_->recorded();
  const auto known = std::ranges::find(recorded, id, &historian::Decision::id);
  ASSERT_NE(known, recorded.end()) << "a trace leads to the record of its decision";
  EXPECT_EQ(known->correlation_id, correlation);
}

TEST_F(Traces, a_call_through_coredinator_is_one_trace) {
  ASSERT_NO_FATAL_FAILURE(start_collector());
  ASSERT_NO_FATAL_FAILURE(start("url: '" + url_ + "'"));
  auto client = bus::Client::connect(bus::call_endpoint(site_->run_folder(), "coredinator"));
  ASSERT_TRUE(client);
  {
    const trace::Scope within(trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    const auto answer = client->call<v1::IoStatusAnswer>("io.Status", "io", v1::IoStatusRequest(), 5s, "by-hand");
    ASSERT_TRUE(answer) << answer.error().message;
  }
  const std::vector<json>& spans = traces_["4bf92f3577b34da6a3ce929d0e0e4736"];
  ASSERT_TRUE(collect([&] { return spans.size() == 2; })) << site_->everything();
  const json *dispatched = find(spans, "coredinator", "dispatch"), *served = find(spans, "io", "io.Status");
  ASSERT_TRUE(dispatched && served);
  EXPECT_EQ((*dispatched)["parent"], "00f067aa0ba902b7");
  EXPECT_EQ((*dispatched)["attributes"]["rltune.method"], "io.Status");
  EXPECT_EQ((*served)["parent"], (*dispatched)["span"]);
  for (const json& span : spans) EXPECT_EQ(span["attributes"]["rltune.correlation_id"], "by-hand");
}

TEST_F(Traces, a_collector_that_dies_costs_no_decision_and_gets_what_waited) {
  ASSERT_NO_FATAL_FAILURE(start_collector());
  ASSERT_NO_FATAL_FAILURE(start("url: '" + url_ + "'"));
  ASSERT_TRUE(collect([&] { return whole_decision() != nullptr; })) << site_->everything();
  port_ = std::stoi(url_.substr(url_.rfind(':') + 1));
  ::kill(collector_->pid(), SIGKILL);
  collector_.reset();
  EXPECT_TRUE(
      PilotSite::eventually([&] { return metric("io", "rltune_role_circuit_state{to=\"traces\"}") == 2.0; }, 20s))
      << metrics::http_get(site_->role("io").endpoint(), "/metrics").body;
  EXPECT_TRUE(site_->decides(20)) << site_->everything();
  EXPECT_EQ(site_->role("io").restarts(), 0U);
  traces_.clear();
  ASSERT_NO_FATAL_FAILURE(start_collector());
  EXPECT_TRUE(collect([&] { return whole_decision() != nullptr; }));
  EXPECT_TRUE(
      PilotSite::eventually([&] { return metric("io", "rltune_role_circuit_state{to=\"traces\"}") == 0.0; }, 40s));
}

TEST_F(Traces, a_site_without_a_network_keeps_them_in_files) {
  ASSERT_NO_FATAL_FAILURE(start("folder: traces"));
  const auto spans_of = [&](const std::string& role) {
    std::vector<json> spans;
    std::istringstream text(read_file(site_->path("site/traces/" + role + ".jsonl")).value_or(""));
    for (std::string line; std::getline(text, line);) {
      const json request = json::parse(line);
      for (const json& span : request["resourceSpans"][0]["scopeSpans"][0]["spans"]) spans.push_back(span);
    }
    return spans;
  };
  EXPECT_TRUE(PilotSite::eventually(
      [&] {
        const auto proposals = spans_of("agent.climate");
        return std::ranges::any_of(spans_of("io"), [&](const json& served) {
          return served["name"] == "io.Propose" && std::ranges::any_of(proposals, [&](const json& asked) {
                   return asked["traceId"] == served["traceId"] && asked["spanId"] == served["parentSpanId"];
                 });
        });
      },
      20s))
      << site_->everything();
}

TEST_F(Traces, without_telemetry_nothing_is_recorded_and_nothing_listens) {
  ASSERT_NO_FATAL_FAILURE(site_->start());
  ASSERT_TRUE(site_->decides(10)) << site_->everything();
  EXPECT_EQ(metric("io", "rltune_role_traces_spans_total{outcome=\"sent\"}"), 0.0);
  EXPECT_FALSE(std::filesystem::exists(site_->path("site/traces")));
}

}  // namespace
}  // namespace rltune
