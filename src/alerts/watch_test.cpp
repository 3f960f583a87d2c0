#include "rltune/alerts/watch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "manual_clock.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"

namespace rltune::alerts {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class Records final : public telemetry::RecordSource {
 public:
  Result<telemetry::StoredBatch> read(std::uint64_t from, std::size_t) override {
    telemetry::StoredBatch batch;
    for (std::uint64_t i = from; i <= all.size() && batch.records.size() < 3; ++i) batch.records.push_back(all[i - 1]);
    batch.next = from + batch.records.size();
    return batch;
  }
  std::uint64_t floor() const override { return 1; }
  std::uint64_t acknowledged() const override { return all.size(); }
  void add(std::string payload, TimePoint at) {
    all.push_back({all.size() + 1, at.time_since_epoch().count(), std::move(payload)});
  }
  std::vector<telemetry::StoredRecord> all;
};

// Keeps what it is told beyond restarts; as long as `down`, it does not answer.
struct Person {
  std::mutex mutex;
  std::vector<std::string> heard;  // "firing KEY"
  bool down = false;
};

class FakeChannel final : public Channel {
 public:
  explicit FakeChannel(Person& person) : person_(person) {}
  Result<> tell(const Notice& notice) override {
    const std::lock_guard lock(person_.mutex);
    if (person_.down) return fail(Errc::disconnected, "nobody there");
    person_.heard.push_back(std::string(to_string(notice.kind)) + " " + notice.rule);
    if (notice.acknowledged)
      person_.heard.back() += " by " + notice.acknowledged->who + ": " + notice.acknowledged->why;
    return {};
  }
  void cancel() noexcept override {}

 private:
  Person& person_;
};

class WatchTest : public ::testing::Test {
 protected:
  WatchTest() {
    alerts_.channels = {{.name = "duty"}};
    alerts_.alerts = {{.name = "hot", .metric = "m", .when = "above", .limit = 10, .for_s = 0, .channels = {"duty"}},
                      {.name = "errors",
                       .when = "above",
                       .limit = 1,
                       .for_s = 0,
                       .channels = {"duty"},
                       .log = config::LogMatch{},
                       .window_s = 600}};
  }
  void start() {
    WatchOptions options{.state_file = folder_.path() / "alerts.json",
                         .engine = {.site = "pilot", .vault = vault_},
                         .notifier = {.channel = {}, .wait_first = 1h, .make = [this](const auto&, const auto&) {
                                        return std::make_unique<FakeChannel>(person_);
                                      }}};
    auto watch = Watch::open(alerts_, options, clock_, logs_, metrics_);
    ASSERT_TRUE(watch) << watch.error().message;
    watch_ = std::move(*watch);
  }
  // As if it were killed: its last state is that before.
  void kill() {
    const std::string state = read_file(folder_.path() / "alerts.json").value_or("");
    watch_.reset();
    if (state.empty())
      std::filesystem::remove(folder_.path() / "alerts.json");
    else
      ASSERT_TRUE(write_file(folder_.path() / "alerts.json", state));
  }
  void sample(double value) { metrics_.add(telemetry::to_payload({"m", {}, 0, value}), clock_.now()); }
  void entry(const std::string& message, const std::string& more = "") {
    logs_.add(R"({"timestamp":"2026-01-02T00:00:00Z","service":"io","level":"ERROR","message":")" + message + "\"" +
                  more + "}",
              clock_.now());
  }
  void turn() {
    clock_.advance(5s);
    EXPECT_TRUE(watch_->turn());
  }
  // What the person has heard, once it is so much.
  std::vector<std::string> heard(std::size_t count) {
    for (const auto end = std::chrono::steady_clock::now() + 10s; std::chrono::steady_clock::now() < end;
         std::this_thread::yield()) {
      const std::lock_guard lock(person_.mutex);
      if (person_.heard.size() >= count) return person_.heard;
    }
    return {"too little"};
  }

  TemporaryFolder folder_;
  vault::Vault vault_;
  ManualClock clock_{parse_rfc3339("2026-01-02T00:00:00Z").value()};
  Records logs_, metrics_;
  Person person_;
  config::Alerts alerts_;
  std::unique_ptr<Watch> watch_;
};

TEST_F(WatchTest, reads_both_buffers_from_now_on_and_tells) {
  sample(99);
  entry("before"), entry("before");
  start();
  turn();
  EXPECT_EQ(json::parse(watch_->instances_json()), json::array());
  sample(11);
  turn();
  EXPECT_EQ(heard(1), std::vector<std::string>{"firing hot"});
  for (int i = 0; i < 5; ++i) entry("again");
  turn();
  EXPECT_EQ(heard(2).back(), "firing errors");
  const json all = json::parse(watch_->instances_json());
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0]["rule"], "errors");
  EXPECT_EQ(all[0]["summary"], "5 log entries of level ERROR or worse in 600 s, above 1");
  EXPECT_EQ(all[1]["state"], "firing");
  EXPECT_EQ(watch_->counts().entries, 5U);
  EXPECT_EQ(watch_->counts().samples, 1U);
}

TEST_F(WatchTest, an_acknowledgement_is_kept_and_told) {
  start();
  sample(11);
  turn();
  const std::string id = json::parse(watch_->instances_json())[0]["id"];
  ASSERT_TRUE(watch_->acknowledge(id, "ada", "known", std::nullopt));
  EXPECT_EQ(heard(2).back(), "acknowledged hot by ada: known");
  kill();
  start();
  EXPECT_EQ(json::parse(watch_->instances_json())[0]["acknowledged"]["who"], "ada");
  EXPECT_EQ(watch_->acknowledge("hot-0", "ada", "", std::nullopt).error().code, Errc::not_found);
}

TEST_F(WatchTest, who_acknowledged_and_why_are_kept_encrypted_where_the_site_asks_for_it) {
  const auto key = vault::Key::make();
  ASSERT_TRUE(key);
  vault_ = vault::Vault::with({*key});
  start();
  sample(11);
  turn();
  const std::string id = json::parse(watch_->instances_json())[0]["id"];
  const auto acknowledged = watch_->acknowledge(id, "philomena", "the vents rattle", std::nullopt);
  ASSERT_TRUE(acknowledged);
  EXPECT_EQ(acknowledged->acknowledged->who, "philomena");
  EXPECT_EQ(heard(2).back(), "acknowledged hot by philomena: the vents rattle");
  kill();
  const std::string kept = read_file(folder_.path() / "alerts.json").value();
  EXPECT_FALSE(kept.contains("philomena") || kept.contains("rattle")) << kept;
  vault_ = {};
  start();
  EXPECT_NE(json::parse(watch_->instances_json())[0]["acknowledged"]["who"], "philomena") << "without the key";
  kill();
  vault_ = vault::Vault::with({*key});
  start();
  EXPECT_EQ(json::parse(watch_->instances_json())[0]["acknowledged"]["why"], "the vents rattle");
}

TEST_F(WatchTest, what_could_not_be_told_before_a_kill_is_told_after_it_and_nothing_twice) {
  start();
  person_.down = true;
  sample(11);
  turn();
  kill();
  person_.down = false;
  start();
  turn();
  EXPECT_EQ(heard(1), std::vector<std::string>{"firing hot"});
  turn();
  kill();
  start();
  sample(11);
  turn();
  sample(9);
  turn();
  EXPECT_EQ(heard(2), (std::vector<std::string>{"firing hot", "resolved hot"}));
}

TEST_F(WatchTest, each_entry_counts_once_through_a_kill) {
  start();
  entry("one");
  turn();
  kill();
  start();
  turn();
  turn();
  EXPECT_EQ(json::parse(watch_->instances_json()), json::array());
  entry("two");
  turn();
  EXPECT_EQ(heard(1), std::vector<std::string>{"firing errors"});
  EXPECT_EQ(json::parse(watch_->instances_json())[0]["value"], 2.0);
}

TEST_F(WatchTest, a_long_way_to_catch_up_is_gone_in_parts_and_nothing_is_said_before_its_end) {
  alerts_.alerts = {{.name = "gone", .metric = "m", .when = "absent", .for_s = 60, .channels = {"duty"}}};
  start();
  clock_.advance(10min);
  for (int i = 0; i < 250; ++i) sample(1);  // three a read, 32 reads a turn
  EXPECT_TRUE(watch_->turn());
  EXPECT_EQ(watch_->counts().samples, 96U);
  EXPECT_TRUE(watch_->turn());
  EXPECT_TRUE(watch_->turn());
  EXPECT_EQ(watch_->counts().samples, 250U);
  EXPECT_FALSE(watch_->turn());
  EXPECT_EQ(json::parse(watch_->instances_json()), json::array());
}

TEST_F(WatchTest, what_we_log_of_an_alert_is_no_reason_for_another) {
  start();
  for (int i = 0; i < 5; ++i) entry("an alert", R"(,"attributes":{"alert":"errors-1.2"})");
  turn();
  EXPECT_EQ(json::parse(watch_->instances_json()), json::array());
}

TEST_F(WatchTest, a_state_that_the_disk_damaged_is_put_aside_and_what_is_no_record_is_counted) {
  ASSERT_TRUE(write_file(folder_.path() / "alerts.json", "{\"format\": 1"));
  start();
  sample(11);
  metrics_.add("no record", clock_.now());
  logs_.add("[]", clock_.now());
  turn();
  EXPECT_EQ(heard(1), std::vector<std::string>{"firing hot"});
  EXPECT_EQ(watch_->counts().unreadable, 2U);
}

TEST_F(WatchTest, a_state_that_cannot_be_kept_keeps_nobody_from_being_told) {
  ASSERT_TRUE(std::filesystem::create_directory(folder_.path() / "file"));
  start();
  std::filesystem::remove_all(folder_.path());
  ASSERT_TRUE(write_file(folder_.path(), "a file where the folder was"));
  sample(11);
  turn();
  EXPECT_EQ(heard(1), std::vector<std::string>{"firing hot"});
  EXPECT_GE(watch_->counts().keep_failures, 1U);
}

TEST_F(WatchTest, a_channel_that_is_not_there_cannot_be_tested) {
  start();
  EXPECT_EQ(watch_->test("nobody").error().code, Errc::not_found);
  EXPECT_TRUE(watch_->test("duty"));
}

}  // namespace
}  // namespace rltune::alerts
