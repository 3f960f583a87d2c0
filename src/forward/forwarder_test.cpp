#include "rltune/forward/forwarder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <nlohmann/json.hpp>
#include <thread>

#include "memory_source.hpp"
#include "rltune/base/file.hpp"
#include "temporary_folder.hpp"
#include "time_limit.hpp"

namespace rltune::forward {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Kind = Outcome::Kind;

// What arrived, and what the test answers.
struct Wire {
  std::mutex mutex;
  std::vector<Batch> batches;
  std::function<Outcome(const Batch&)> answer = [](const Batch&) { return Outcome{}; };
  std::atomic<bool> hangs = false;

  std::vector<std::string> ids() {
    const std::scoped_lock lock(mutex);
    std::vector<std::string> ids;
    for (const Batch& batch : batches) ids.push_back(batch.id().substr(kBuffer.size() + 1));
    return ids;
  }
};

class WireDelivery final : public Delivery {
 public:
  explicit WireDelivery(Wire& wire) : wire_(wire) {}
  Outcome deliver(const Batch& batch) override {
    {
      const std::scoped_lock lock(wire_.mutex);
      wire_.batches.push_back(batch);
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !wire_.hangs || cancelled_; });
    if (cancelled_) return {.kind = Kind::again, .reason = "cancelled"};
    return wire_.answer(batch);
  }
  void cancel() noexcept override {
    const std::scoped_lock lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }

 private:
  Wire& wire_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool cancelled_ = false;
};

class ForwarderTest : public ::testing::Test {
 protected:
  ForwarderOptions options() const {
    return {.sink = "cloud",
            .site = "north",
            .stream = "logs",
            .buffer_id = kBuffer,
            .folder = folder_.path() / "cloud",
            .batch_bytes_max = 100,
            .interval = 10ms,
            .retry_first = 1ms,
            .retry_max = 4ms,
            .denied_first = 2ms,
            .denied_max = 4ms};
  }
  std::unique_ptr<Forwarder> start(ForwarderOptions with) {
    auto forwarder = Forwarder::start(source_, std::make_unique<WireDelivery>(wire_), std::move(with), clock_);
    EXPECT_TRUE(forwarder) << forwarder.error().message;
    return std::move(*forwarder);
  }
  std::unique_ptr<Forwarder> start() { return start(options()); }
  // `count` of 20 bytes each: five fill a batch.
  void add(int count) {
    std::vector<std::string> payloads;
    for (int i = 0; i < count; ++i) payloads.push_back(std::format(R"({{"message":"{:06}"}})", i));
    source_.add(std::move(payloads));
  }
  static bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + time_limit(10s);
    while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(1ms);
    return condition();
  }
  std::vector<nlohmann::json> dead_letters() const {
    std::vector<nlohmann::json> letters;
    std::istringstream lines(read_file(folder_.path() / "cloud/dead-letters.ndjson").value_or(""));
    for (std::string line; std::getline(lines, line);) letters.push_back(nlohmann::json::parse(line));
    return letters;
  }

  TemporaryFolder folder_;
  WallClock clock_;
  MemorySource source_;
  Wire wire_;
};

TEST_F(ForwarderTest, what_waits_is_sent_in_order_and_in_full_batches) {
  add(12);
  const auto forwarder = start();
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 12; }));
  EXPECT_THAT(wire_.ids(), ElementsAre("logs/1-5", "logs/6-10", "logs/11-12"));
  const Record& record = wire_.batches[1].records[0];
  EXPECT_EQ(record.id, kBuffer + "-logs-6");
  EXPECT_EQ(record.site, "north");
  EXPECT_EQ(record.entry, R"({"message":"000005"})");
  const Figures figures = forwarder->figures();
  EXPECT_EQ(figures.sent_records, 12U);
  EXPECT_EQ(figures.sent_batches, 3U);
  EXPECT_EQ(figures.waiting_records, 0U);
  EXPECT_TRUE(figures.last_success && figures.trouble.empty());
}

TEST_F(ForwarderTest, news_is_sent_when_a_batch_is_full_or_the_interval_is_over) {
  ForwarderOptions with = options();
  with.interval = 60s;
  const auto forwarder = start(with);
  add(4);
  forwarder->notify();
  // Twenty bytes are less than the 256 that are assumed of a record at first, so one counts as a full batch.
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 4; }));
  add(4);
  forwarder->notify();
  for (int i = 0; i < 5; ++i) {
    const int looks = source_.looks();
    forwarder->notify();
    EXPECT_TRUE(eventually([&] { return source_.looks() > looks; }));
  }
  EXPECT_EQ(forwarder->taken(), 4U) << "they wait for a fifth";
  add(1);
  forwarder->notify();
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 9; }));
  EXPECT_EQ(wire_.ids().back(), "logs/5-9");
}

TEST_F(ForwarderTest, an_idle_forwarder_reads_nothing) {
  ForwarderOptions with = options();
  with.interval = 1ms;
  const auto forwarder = start(with);
  EXPECT_TRUE(eventually([&] { return source_.looks() > 20; }));
  EXPECT_EQ(source_.reads(), 0);
}

TEST_F(ForwarderTest, the_same_batch_goes_again_until_it_is_taken) {
  add(5);
  std::atomic<int> left = 4;
  wire_.answer = [&](const Batch&) { return left-- > 0 ? Outcome{.kind = Kind::again, .reason = "away"} : Outcome{}; };
  const auto forwarder = start();
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 5; }));
  EXPECT_THAT(wire_.ids(), ElementsAre("logs/1-5", "logs/1-5", "logs/1-5", "logs/1-5", "logs/1-5"));
  EXPECT_EQ(forwarder->figures().retried, 4U);
  EXPECT_TRUE(forwarder->figures().trouble.empty());
}

TEST_F(ForwarderTest, a_batch_under_way_is_the_same_after_a_restart_with_more_and_other_options) {
  add(3);
  wire_.hangs = true;
  {
    const auto forwarder = start();
    ASSERT_TRUE(eventually([&] { return !wire_.ids().empty(); }));
    EXPECT_EQ(forwarder->taken(), 0U);
  }
  add(20);
  wire_.hangs = false;
  ForwarderOptions with = options();
  with.batch_bytes_max = 10'000;
  const auto forwarder = start(with);
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 23; }));
  EXPECT_THAT(wire_.ids(), ElementsAre("logs/1-3", "logs/1-3", "logs/4-23"));
}

TEST_F(ForwarderTest, a_longer_batch_under_way_is_read_whole_with_a_smaller_bound) {
  add(20);
  wire_.hangs = true;
  ForwarderOptions with = options();
  with.batch_bytes_max = 10'000;
  {
    const auto forwarder = start(with);
    ASSERT_TRUE(eventually([&] { return !wire_.ids().empty(); }));
  }
  wire_.hangs = false;
  const auto forwarder = start();
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 20; }));
  EXPECT_THAT(wire_.ids(), ElementsAre("logs/1-20", "logs/1-20"));
  EXPECT_EQ(wire_.batches[1].records.size(), 20U);
}

TEST_F(ForwarderTest, a_refused_record_is_found_by_halving_and_kept_as_a_dead_letter) {
  add(16);
  ForwarderOptions with = options();
  with.batch_bytes_max = 10'000;
  wire_.answer = [](const Batch& batch) {
    const bool bad = batch.range.first <= 11 && 11 <= batch.range.last;
    return bad ? Outcome{.kind = Kind::refused, .reason = "no such field"} : Outcome{};
  };
  const auto forwarder = start(with);
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 16; }));
  EXPECT_EQ(forwarder->figures().sent_records, 15U);
  EXPECT_EQ(forwarder->figures().refused, 1U);
  ASSERT_EQ(dead_letters().size(), 1U);
  EXPECT_EQ(dead_letters()[0]["id"], kBuffer + "-logs-11");
  EXPECT_EQ(dead_letters()[0]["reason"], "no such field");
  EXPECT_EQ(dead_letters()[0]["entry"]["message"], "000010");
}

TEST_F(ForwarderTest, records_that_the_answer_names_are_dead_letters_and_the_rest_is_sent) {
  add(5);
  wire_.answer = [](const Batch&) { return Outcome{.refused = {{2, "bad"}, {4, "worse"}}}; };
  const auto forwarder = start();
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 5; }));
  EXPECT_EQ(forwarder->figures().refused, 2U);
  EXPECT_EQ(forwarder->figures().sent_records, 3U);
  ASSERT_EQ(dead_letters().size(), 2U);
  EXPECT_EQ(dead_letters()[1]["reason"], "worse");
}

TEST_F(ForwarderTest, a_denial_waits_and_says_so) {
  add(5);
  std::atomic<bool> denied = true;
  wire_.answer = [&](const Batch&) { return denied ? Outcome{.kind = Kind::denied, .reason = "key?"} : Outcome{}; };
  const auto forwarder = start();
  EXPECT_TRUE(eventually([&] { return forwarder->figures().trouble == "key?"; }));
  EXPECT_EQ(forwarder->figures().waiting_records, 5U);
  denied = false;
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 5; }));
  EXPECT_TRUE(forwarder->figures().trouble.empty());
}

TEST_F(ForwarderTest, a_receiver_that_refuses_everything_does_not_empty_the_buffer) {
  add(100);
  ForwarderOptions with = options();
  with.retry_first = with.retry_max = 60s;
  wire_.answer = [](const Batch&) { return Outcome{.kind = Kind::refused, .reason = "no"}; };
  const auto forwarder = start(with);
  EXPECT_TRUE(eventually([&] { return forwarder->figures().trouble == "everything is refused: no"; }));
  EXPECT_LE(dead_letters().size(), 9U);
}

TEST_F(ForwarderTest, a_receivers_wish_to_wait_is_kept) {
  add(5);
  std::atomic<int> asked = 0;
  wire_.answer = [&](const Batch&) {
    return asked++ == 0 ? Outcome{.kind = Kind::again, .reason = "busy", .retry_after = 200ms} : Outcome{};
  };
  const auto before = std::chrono::steady_clock::now();
  const auto forwarder = start();
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 5; }));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 200ms);
}

TEST_F(ForwarderTest, lost_and_removed_records_are_counted_and_passed) {
  add(10);
  source_.remove_before(4);
  source_.lose(5);
  source_.lose(10);
  const auto forwarder = start();
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 10; }));
  EXPECT_EQ(forwarder->figures().removed, 3U);
  EXPECT_EQ(forwarder->figures().lost, 2U);
  EXPECT_EQ(forwarder->figures().sent_records, 5U);
}

TEST_F(ForwarderTest, the_end_does_not_wait_for_a_sending_or_for_a_retry) {
  add(5);
  wire_.hangs = true;
  ForwarderOptions with = options();
  with.retry_first = with.retry_max = 60s;
  auto forwarder = start(with);
  ASSERT_TRUE(eventually([&] { return !wire_.ids().empty(); }));
  const auto before = std::chrono::steady_clock::now();
  forwarder.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, time_limit(1s));
}

TEST_F(ForwarderTest, dead_letters_are_bounded_and_what_goes_is_counted) {
  add(40);
  ForwarderOptions with = options();
  with.dead_letter_bytes_max = 4000;
  wire_.answer = [](const Batch& batch) {
    Outcome outcome;
    for (std::size_t i = 1; i < batch.records.size(); ++i) outcome.refused.push_back({batch.records[i].sequence, "x"});
    return outcome;
  };
  const auto forwarder = start(with);
  EXPECT_TRUE(eventually([&] { return forwarder->taken() == 40; }));
  EXPECT_EQ(forwarder->figures().refused, 32U);
  const auto folder = folder_.path() / "cloud";
  EXPECT_LE(std::filesystem::file_size(folder / "dead-letters.ndjson"), 2000U);
  EXPECT_LE(std::filesystem::file_size(folder / "dead-letters.ndjson.1"), 2000U);
  EXPECT_GT(forwarder->figures().dropped, 0U);
  EXPECT_LT(forwarder->figures().dropped, 32U);
}

}  // namespace
}  // namespace rltune::forward
