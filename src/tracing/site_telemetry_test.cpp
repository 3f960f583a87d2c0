#include "rltune/tracing/site_telemetry.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "otlp.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/log.hpp"
#include "temporary_folder.hpp"
#include "time_limit.hpp"

namespace rltune::tracing {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Takes posts on a port that it keeps, answers with a status of the test's choice, and counts the spans it took.
class Collector {
 public:
  Collector() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof where;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&where), size), 0);
    EXPECT_EQ(::listen(socket_, 8), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&where), &size), 0);
    url = "http://127.0.0.1:" + std::to_string(ntohs(where.sin_port)) + "/v1/traces";
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) serve();
    });
  }
  ~Collector() {
    thread_.request_stop();
    thread_.join();
    ::close(socket_);
  }

  std::string url;
  std::atomic<int> status = 200, spans = 0, posts = 0;
  std::atomic<bool> silent = false;  // takes the post and says nothing

 private:
  void serve() {
    pollfd ready{socket_, POLLIN, 0};
    if (::poll(&ready, 1, 20) != 1) return;
    const int peer = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    std::string text;
    char bytes[65536];
    std::size_t head = std::string::npos, length = 0;
    pollfd more{peer, POLLIN, 0};
    while (head == std::string::npos || text.size() < head + 4 + length) {
      if (::poll(&more, 1, 2000) != 1) break;
      const ssize_t count = ::recv(peer, bytes, sizeof bytes, 0);
      if (count <= 0) break;
      text.append(bytes, static_cast<std::size_t>(count));
      head = text.find("\r\n\r\n");
      const std::size_t at = text.find("Content-Length: ");
      if (at != std::string::npos) length = std::stoul(text.substr(at + 16));
    }
    ++posts;
    Request request;
    if (head != std::string::npos && status == 200 && !silent && request.ParseFromString(text.substr(head + 4)))
      for (const auto& all : request.resource_spans())
        for (const auto& scope : all.scope_spans()) spans += scope.spans_size();
    while (silent) std::this_thread::sleep_for(5ms);
    const std::string answer =
        "HTTP/1.1 " + std::to_string(status) + " what\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    (void)!::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
    ::close(peer);
  }

  int socket_;
  std::jthread thread_;
};

class SiteTelemetryTest : public ::testing::Test {
 protected:
  ~SiteTelemetryTest() override {
    trace::stop();
    std::vector<trace::Record> rest(512);
    while (trace::take(rest) > 0) {
    }
  }
  void write_telemetry(const std::string& traces) {
    ASSERT_TRUE(write_file(folder_.path() / "telemetry.yaml",
                           "schema: rltune/telemetry/v1\ntraces: {enabled: true, sample_ratio: 1, " + traces + "}\n"));
  }
  Options options(Duration timeout = 5s) const {
    return {.folder = folder_.path(), .site = "north", .role = "io", .every = 20ms, .timeout = timeout};
  }
  static void decide(int count) {
    for (int i = 0; i < count; ++i) trace::Span::root("decision").end();
  }
  static bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(5ms);
    return condition();
  }
  double spans(const std::string& outcome) {
    return registry_.counter("rltune_role_traces_spans_total", "", {{"outcome", outcome}}).value();
  }
  double circuit() { return registry_.gauge("rltune_role_circuit_state", "", {{"to", "traces"}}).value(); }

  TemporaryFolder folder_;
  metrics::Registry registry_{"io"};
};

TEST_F(SiteTelemetryTest, a_site_without_telemetry_records_nothing) {
  const SiteTelemetry traces(options(), registry_);
  EXPECT_FALSE(trace::on());
}

TEST_F(SiteTelemetryTest, a_collector_gets_every_span) {
  Collector collector;
  write_telemetry("url: " + collector.url);
  const SiteTelemetry traces(options(), registry_);
  ASSERT_TRUE(trace::on());
  decide(700);
  EXPECT_TRUE(eventually([&] { return collector.spans == 700; })) << collector.spans;
  EXPECT_TRUE(eventually([&] { return spans("sent") == 700.0; }));
  EXPECT_EQ(spans("dropped"), 0.0);
}

TEST_F(SiteTelemetryTest, what_waits_at_the_end_is_sent) {
  Collector collector;
  write_telemetry("url: " + collector.url);
  {
    const SiteTelemetry traces(options(), registry_);
    decide(3);
  }
  EXPECT_EQ(collector.spans, 3);
}

TEST_F(SiteTelemetryTest, a_collector_that_was_away_gets_what_waited) {
  Collector collector;
  collector.status = 503;
  write_telemetry("url: " + collector.url);
  const SiteTelemetry traces(options(), registry_);
  decide(10);
  EXPECT_TRUE(eventually([&] { return circuit() == 2.0; })) << "open";
  EXPECT_EQ(spans("sent"), 0.0);
  collector.status = 200;
  EXPECT_TRUE(eventually([&] { return collector.spans == 10 && circuit() == 0.0; }));
  EXPECT_EQ(spans("sent"), 10.0);
  EXPECT_EQ(spans("refused") + spans("dropped"), 0.0);
}

TEST_F(SiteTelemetryTest, what_finds_no_room_meanwhile_is_counted) {
  Collector collector;
  collector.status = 503;
  write_telemetry("url: " + collector.url);
  const SiteTelemetry traces(options(), registry_);
  decide(1);
  ASSERT_TRUE(eventually([&] { return circuit() == 2.0; }));
  const double before = spans("dropped");
  decide(10'000);
  EXPECT_TRUE(eventually([&] { return spans("dropped") > before; }));
  const auto dropped = [&] { return spans("dropped") - before; };
  collector.status = 200;
  EXPECT_TRUE(eventually([&] { return collector.spans + dropped() == 10'001; })) << collector.spans << " " << dropped();
}

TEST_F(SiteTelemetryTest, what_a_collector_refuses_for_good_is_not_sent_again) {
  Collector collector;
  collector.status = 400;
  write_telemetry("url: " + collector.url);
  const SiteTelemetry traces(options(), registry_);
  decide(5);
  EXPECT_TRUE(eventually([&] { return spans("refused") == 5.0; }));
  EXPECT_EQ(collector.posts, 1);
}

TEST_F(SiteTelemetryTest, a_collector_that_hangs_opens_the_circuit) {
  Collector collector;
  collector.silent = true;
  write_telemetry("url: " + collector.url);
  const SiteTelemetry traces(options(50ms), registry_);
  decide(1);
  EXPECT_TRUE(eventually([&] { return circuit() == 2.0; }));
  EXPECT_EQ(spans("sent"), 0.0);
  collector.silent = false;
}

TEST_F(SiteTelemetryTest, a_sending_that_hangs_is_given_up_at_the_end) {
  Collector collector;
  collector.silent = true;
  write_telemetry("url: " + collector.url);
  auto traces = std::make_unique<SiteTelemetry>(options(60s), registry_);
  decide(1);
  EXPECT_TRUE(eventually([&] { return collector.posts > 0; }));
  const auto before = std::chrono::steady_clock::now();
  traces.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, time_limit(3s));
  collector.silent = false;
}

TEST_F(SiteTelemetryTest, without_a_network_they_are_lines_of_a_file_of_bounded_size) {
  write_telemetry("folder: traces, folder_max_mb: 1");
  const auto file = folder_.path() / "traces" / "io.jsonl";
  {
    const SiteTelemetry traces(options(), registry_);
    for (int i = 0; i < 20; ++i) {
      decide(200);
      ASSERT_TRUE(eventually([&] { return spans("sent") == 200.0 * (i + 1); }));
    }
  }
  EXPECT_TRUE(std::filesystem::exists(file.string() + ".1"));
  EXPECT_LT(std::filesystem::file_size(file.string() + ".1"), 1'000'000U);
  std::size_t written = 0;
  for (const std::string& name : {file.string(), file.string() + ".1"}) {
    std::ifstream stream(name);
    for (std::string line; std::getline(stream, line);)
      written += nlohmann::json::parse(line)["resourceSpans"][0]["scopeSpans"][0]["spans"].size();
  }
  EXPECT_GT(written, 400U);
}

TEST_F(SiteTelemetryTest, a_full_disk_costs_traces_and_no_line_is_torn) {
  write_telemetry("folder: traces");
  const SiteTelemetry traces(options(), registry_);
  decide(3);
  ASSERT_TRUE(eventually([&] { return spans("sent") == 3.0; }));
  const auto file = folder_.path() / "traces" / "io.jsonl";
  // The kernel refuses what goes beyond, as a full disk does.
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  rlimit small = limit;
  small.rlim_cur = std::filesystem::file_size(file) + 100;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  decide(3);
  const bool open = eventually([&] { return circuit() == 2.0; });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  EXPECT_TRUE(open);
  EXPECT_TRUE(eventually([&] { return spans("sent") == 6.0; })) << "once there is room";
  std::ifstream stream(file);
  std::size_t written = 0;
  for (std::string line; std::getline(stream, line);)
    written += nlohmann::json::parse(line)["resourceSpans"][0]["scopeSpans"][0]["spans"].size();
  EXPECT_EQ(written, 6U);
}

TEST_F(SiteTelemetryTest, the_file_is_followed_and_a_broken_one_changes_nothing) {
  Collector collector;
  const SiteTelemetry telemetry(options(), registry_);
  ASSERT_FALSE(trace::on());
  write_telemetry("url: " + collector.url);
  EXPECT_TRUE(eventually([] { return trace::on(); }));
  decide(1);
  EXPECT_TRUE(eventually([&] { return collector.spans == 1; }));
  ASSERT_TRUE(write_file(folder_.path() / "telemetry.yaml", "traces: [nonsense\n"));
  std::this_thread::sleep_for(100ms);
  decide(1);
  EXPECT_TRUE(eventually([&] { return collector.spans == 2; }));
  std::filesystem::remove(folder_.path() / "telemetry.yaml");
  EXPECT_TRUE(eventually([] { return !trace::on(); }));
}

TEST_F(SiteTelemetryTest, a_role_starts_with_its_level_and_takes_another_over) {
  log::set_level(log::Level::info);
  const auto write = [this](const std::string& levels) {
    ASSERT_TRUE(write_file(folder_.path() / "telemetry.yaml", "schema: rltune/telemetry/v1\n" + levels));
  };
  const auto becomes = [](log::Level level) { return eventually([level] { return log::level() == level; }); };
  write("level: ERROR\nlevels: {io: DEBUG}\n");
  const SiteTelemetry io(options(), registry_);
  EXPECT_EQ(log::level(), log::Level::debug) << "before its first line of work";
  write("level: ERROR\n");
  EXPECT_TRUE(becomes(log::Level::error));
  // By hand, until the file changes.
  log::set_level(log::Level::debug);
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(log::level(), log::Level::debug);
  write("level: WARNING\nlevels: {agent: DEBUG}\n");
  EXPECT_TRUE(becomes(log::Level::warning));
  std::filesystem::remove(folder_.path() / "telemetry.yaml");
  EXPECT_TRUE(becomes(log::Level::info));
}

}  // namespace
}  // namespace rltune::tracing
