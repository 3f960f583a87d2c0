// The cloud side as a process: sites that send over TLS with certificates of their own, the receiver killed at any
// moment, and stores behind it. RLTUNE_KILLS for more kills, RLTUNE_SEED for other moments.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <set>

#include "database_process.hpp"
#include "receive_process.hpp"
#include "rltune/base/log.hpp"
#include "rltune/base/random.hpp"
#include "sending_site.hpp"
#include "temporary_folder.hpp"
#include "time_limit.hpp"

namespace rltune {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::ChildProcess;
using testing::DatabaseProcess;
using ::testing::HasSubstr;
using testing::ReceiveProcess;
using testing::SendingSite;

constexpr const char* kVictoriaMetrics = "/usr/bin/victoria-metrics";

std::uint64_t number_of(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::stoull(text);
}

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + time_limit(20s);
  while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(5ms);
  return condition();
}

bool all_sent(SendingSite& site) {
  return eventually(
      [&] { return std::ranges::all_of(site.streams(), [](const auto* stream) { return stream->is_sent(); }); });
}

std::string troubles(SendingSite& site) {
  std::string text;
  for (const auto* stream : site.streams()) text += stream->figures().trouble + "\n";
  return text;
}

class TelemetryReceive : public ::testing::Test {
 protected:
  void SetUp() override {
    log::start("telemetry_receive_test", log::Level::critical);
    ASSERT_TRUE(receiver_.prepare());
  }

  // After a kill: once the sender knows that its batch has failed, it has counted every answer that came.
  bool keeps_what_it_did_not_answer(SendingSite::Stream& stream) const {
    const std::uint64_t failures = stream.figures().retried;
    EXPECT_TRUE(eventually([&] { return stream.figures().retried > failures; }));
    return receiver_.acknowledged(stream.name()) > stream.figures().sent_records;
  }

  // Every record that the site's buffers acknowledged, once, as it was, and nothing else.
  void expect_each_once(SendingSite& site, const ReceiveProcess& receiver) {
    for (const auto* stream : site.streams()) {
      const auto kept = receiver.kept(stream->name());
      std::uint64_t missing = 0, twice = 0, changed = 0;
      for (std::uint64_t number = 1; number <= stream->acknowledged(); ++number) {
        const auto [begin, end] = kept.equal_range(stream->id(number));
        const auto copies = std::distance(begin, end);
        missing += copies == 0 ? 1 : 0;
        twice += copies > 1 ? 1 : 0;
        changed += copies > 0 && begin->second != json::parse(stream->entry(number)).dump() ? 1 : 0;
      }
      EXPECT_EQ(missing, 0U);
      EXPECT_EQ(twice, 0U);
      EXPECT_EQ(changed, 0U);
      EXPECT_EQ(kept.size(), stream->acknowledged()) << "records that nobody sent";
      std::cout << std::format("{}: {} acknowledged, {} kept, {} missing, {} twice, {} changed\n", stream->name(),
                               stream->acknowledged(), kept.size(), missing, twice, changed);
    }
  }

  // The exit status of the command with these options, which says why on stderr.
  int refuses(const std::vector<std::string>& options) {
    ChildProcess process(ReceiveProcess::command(options), receiver_.file("said"));
    return process.wait(time_limit(20s)).value_or(-1);
  }
  std::string said() const { return read_file(receiver_.file("said")).value_or(""); }

  TemporaryFolder folder_;
  ReceiveProcess receiver_{folder_.path()};
};

TEST_F(TelemetryReceive, killed_at_any_moment_it_keeps_every_acknowledged_record_once) {
  const std::uint64_t kills = number_of("RLTUNE_KILLS", 32), seed = number_of("RLTUNE_SEED", 1);
  SCOPED_TRACE("RLTUNE_SEED=" + std::to_string(seed));
  Random random(seed);
  SendingSite site(receiver_.sink(), folder_.path());
  site.fill();
  std::uint64_t starting = 0, unanswered = 0;
  for (std::uint64_t kill = 0; kill < kills; ++kill) {
    receiver_.start();
    // One in four while it starts and reads what it has.
    if (random.below(4) == 0) {
      ++starting;
      ASSERT_TRUE(receiver_.is_killed_after(std::chrono::milliseconds(random.below(40))));
      continue;
    }
    ASSERT_TRUE(receiver_.listens(time_limit(20s))) << receiver_.log();
    ASSERT_TRUE(receiver_.is_killed_after(std::chrono::milliseconds(random.below(120))));
    for (auto* stream : site.streams()) unanswered += keeps_what_it_did_not_answer(*stream) ? 1U : 0U;
  }
  receiver_.start();
  ASSERT_TRUE(receiver_.listens(time_limit(20s))) << receiver_.log();
  site.stop_filling();
  ASSERT_TRUE(all_sent(site)) << troubles(site);
  EXPECT_EQ(receiver_.health()["trouble"], "");
  EXPECT_EQ(receiver_.end(SIGTERM), 0);
  std::cout << std::format(
      "seed {}: {} kills, {} of them while it started; {} times a batch was kept and its answer lost\n", seed, kills,
      starting, unanswered);
  EXPECT_GT(unanswered, 0U) << "no kill came where it matters";
  expect_each_once(site, receiver_);
}

TEST_F(TelemetryReceive, who_shows_no_certificate_or_one_of_another_authority_brings_nothing) {
  receiver_.start();
  ASSERT_TRUE(receiver_.listens(time_limit(20s))) << receiver_.log();
  config::Sink none = receiver_.sink(), other = receiver_.sink(), token = receiver_.sink();
  none.certificate_file = none.key_file = "";
  other.certificate_file = receiver_.file("other-ca.pem");
  other.key_file = receiver_.file("other-ca.key");
  ASSERT_TRUE(write_secret_file(receiver_.file("other-token"), "another"));
  token.secret_file = receiver_.file("other-token");
  for (const auto& [sink, reason] : {std::pair{none, "certificate required"}, {other, "unknown ca"}, {token, "401"}}) {
    SendingSite site(sink, folder_.path() / reason);
    ASSERT_TRUE(site.logs().add(10));
    EXPECT_TRUE(eventually([&] { return site.logs().figures().trouble.contains(reason); })) << troubles(site);
    EXPECT_EQ(site.logs().figures().sent_records, 0U);
    EXPECT_EQ(site.logs().figures().refused, 0U) << "they wait";
  }
  EXPECT_EQ(receiver_.acknowledged("logs"), 0U);
  SendingSite known(receiver_.sink(), folder_.path() / "known");
  ASSERT_TRUE(known.logs().add(10));
  EXPECT_TRUE(all_sent(known)) << troubles(known);
  EXPECT_EQ(receiver_.acknowledged("logs"), 10U);
}

TEST_F(TelemetryReceive, what_anybody_could_read_or_send_does_not_start) {
  const std::string folder = receiver_.file("received"), token = receiver_.file("token");
  const std::string certificate = receiver_.file("server.pem"), key = receiver_.file("server.key");
  EXPECT_EQ(refuses({"--folder", folder, "--token-file", token, "--address", "0.0.0.0"}), 2);
  EXPECT_THAT(said(), HasSubstr("beyond this host batches come over TLS"));
  EXPECT_EQ(refuses({"--folder", folder, "--certificate", certificate, "--key", key, "--address", "0.0.0.0"}), 2);
  EXPECT_THAT(said(), HasSubstr("anybody could send"));
  EXPECT_EQ(refuses({"--folder", folder, "--token-file", token, "--client-ca", receiver_.file("ca.pem")}), 2);
  EXPECT_THAT(said(), HasSubstr("--client-ca requires --certificate"));
  EXPECT_EQ(refuses({"--folder", folder, "--token-file", token, "--certificate", certificate}), 2);
  EXPECT_THAT(said(), HasSubstr("--certificate requires --key"));
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(TelemetryReceive, a_certificate_is_enough_without_a_token) {
  ChildProcess process(ReceiveProcess::command({"--folder", receiver_.file("received"), "--certificate",
                                                receiver_.file("server.pem"), "--key", receiver_.file("server.key"),
                                                "--client-ca", receiver_.file("ca.pem"), "--address", "0.0.0.0"}));
  const auto line = process.read_line(time_limit(20s));
  ASSERT_TRUE(line);
  config::Sink sink = receiver_.sink();
  sink.authentication = "none";
  sink.url = json::parse(*line)["url"];
  sink.url.replace(sink.url.find("0.0.0.0"), 7, "127.0.0.1");
  SendingSite site(sink, folder_.path());
  ASSERT_TRUE(site.logs().add(10));
  EXPECT_TRUE(all_sent(site)) << troubles(site);
}

// The stores behind a receiver: VictoriaMetrics by remote write, PostgreSQL with TimescaleDB.
class TelemetryStores : public TelemetryReceive {
 protected:
  void SetUp() override {
    if (!DatabaseProcess::installed() || !std::filesystem::exists(kVictoriaMetrics))
      GTEST_SKIP() << "postgresql-17 or victoria-metrics is not installed";
    TelemetryReceive::SetUp();
    const std::string port = std::to_string(testing::free_port());
    metrics_url_ = "http://127.0.0.1:" + port;
    metrics_.emplace(std::vector<std::string>{kVictoriaMetrics, "-storageDataPath=" + receiver_.file("vm"),
                                              "-httpListenAddr=127.0.0.1:" + port, "-retentionPeriod=100y",
                                              "-memory.allowedBytes=64MB", kSameIsOne, "-loggerLevel=ERROR"},
                     "/dev/null");
    database_.emplace();
    ASSERT_TRUE(eventually([&] { return ask("/health") == "OK"; }));
    ASSERT_TRUE(write_file(receiver_.file("onward.yaml"),
                           "schema: rltune/telemetry/v2\nsinks:\n"
                           "  - {name: plots, kind: remote_write, url: " +
                               metrics_url_ + "/api/v1/write" + kSmall + "  - {name: archive, kind: postgres, url: \"" +
                               database_->url() + "\", user: " + DatabaseProcess::kUser + kSmall));
  }
  std::string ask(const std::string& path) const {
    http::Client client;
    const auto response = client.send({.method = "GET", .url = metrics_url_ + path});
    return response ? response->body : "";
  }
  // Samples by series and time, each as often as it is stored.
  std::multiset<std::pair<std::string, std::int64_t>> samples() const {
    ask("/internal/force_flush");
    std::istringstream lines(ask("/api/v1/export?match[]=rltune_test"));
    std::multiset<std::pair<std::string, std::int64_t>> all;
    for (std::string line; std::getline(lines, line);) {
      const json one = json::parse(line);
      for (const json& time : one["timestamps"]) all.emplace(one["metric"]["series"], time.get<std::int64_t>());
    }
    return all;
  }
  long rows(const std::string& of) const { return database_->execute("SELECT " + of).one_field().as<long>(); }
  long all_rows() const {
    try {
      return rows("(SELECT count(*) FROM rltune_logs) + (SELECT count(*) FROM rltune_metrics)");
    } catch (const pqxx::undefined_table&) {
      return 0;  // the first connection makes them
    }
  }

  // Without it VictoriaMetrics keeps a sample as often as it came.
  static constexpr const char* kSameIsOne = "-dedup.minScrapeInterval=1ms";
  static constexpr const char* kSmall = ", batch_max_kb: 8, interval_s: 0.1}\n";
  ReceiveProcess onward_{folder_.path(), {"--config", receiver_.file("onward.yaml")}};
  std::string metrics_url_;
  std::optional<ChildProcess> metrics_;
  std::optional<DatabaseProcess> database_;
};

TEST_F(TelemetryStores, killed_on_the_way_it_brings_each_record_to_its_stores_once) {
  SendingSite site(onward_.sink(), folder_.path());
  constexpr long kRecords = 3000;
  for (auto* stream : site.streams())
    for (long i = 0; i < kRecords; i += 100) ASSERT_TRUE(stream->add(100));
  long before = 0, kills = 0;
  for (; kills < 4; ++kills) {
    onward_.start();
    ASSERT_TRUE(onward_.listens(time_limit(20s))) << onward_.log();
    ASSERT_TRUE(eventually([&] { return all_rows() > before; })) << onward_.health();
    ASSERT_EQ(onward_.end(SIGKILL), 128 + SIGKILL);
    before = all_rows();
  }
  EXPECT_LT(before, 2 * kRecords) << "the last kill came after everything";
  onward_.start();
  ASSERT_TRUE(onward_.listens(time_limit(20s)));
  ASSERT_TRUE(all_sent(site)) << troubles(site);
  ASSERT_TRUE(eventually([&] {
    return std::ranges::all_of(onward_.health()["sinks"],
                               [](const json& sink) { return sink["waiting_records"] == 0; });
  })) << onward_.health();
  expect_each_once(site, onward_);
  for (auto* stream : site.streams()) {
    const std::string table = "rltune_" + stream->name();
    EXPECT_EQ(rows("count(*) FROM " + table), kRecords);
    EXPECT_EQ(rows("count(DISTINCT record_id) FROM " + table), kRecords);
    EXPECT_EQ(rows("count(*) FROM " + table + " WHERE site = 'north'"), kRecords);
  }
  const auto stored = samples();
  std::set<std::pair<std::string, std::int64_t>> expected;
  for (long number = 1; number <= kRecords; ++number)
    expected.emplace(std::to_string(number % 10), SendingSite::kBegin + number);
  EXPECT_EQ(std::set(stored.begin(), stored.end()), expected);
  EXPECT_EQ(stored.size(), expected.size());
  std::cout << std::format("{} kills; PostgreSQL: {} rows of {}; VictoriaMetrics: {} samples of {}\n", kills,
                           all_rows(), 2 * kRecords, stored.size(), kRecords);
}

}  // namespace
}  // namespace rltune
