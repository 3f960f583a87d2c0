#include "rltune/receive/receiver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "receiver_process.hpp"
#include "rltune/base/file.hpp"
#include "rltune/base/random.hpp"
#include "rltune/forward/gateway.hpp"
#include "rltune/forward/gzip.hpp"
#include "rltune/telemetry/metric_sample.hpp"
#include "temporary_folder.hpp"
#include "time_limit.hpp"

namespace rltune::receive {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;

const std::string kSite = "0198e0f2-1111-7abc-8def-0123456789ab", kOther = "0198e0f2-2222-7abc-8def-0123456789ab";

class ReceiverTest : public ::testing::Test {
 protected:
  ReceiverOptions options() const {
    return {.folder = folder_.path() / "r",
            .token = "sesame",
            .sinks = {},
            .sinks_folder = folder_.path(),
            .free_bytes_min = 0,
            .marks_every = 1h};
  }
  void open() { open(options()); }
  void open(const ReceiverOptions& with) {
    receiver_.reset();
    auto opened = Receiver::open(with, clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    receiver_ = std::move(*opened);
  }
  static forward::Batch batch_of(std::uint64_t first, std::uint64_t last, const std::string& source = kSite,
                                 const std::string& stream = "logs") {
    forward::Batch batch{.buffer_id = source, .site = "north", .stream = stream, .range = {first, last}};
    for (std::uint64_t sequence = first; sequence <= last; ++sequence)
      batch.records.push_back({sequence, forward::record_id(source, stream, sequence), "north", 7, entry(sequence)});
    return batch;
  }
  static std::string entry(std::uint64_t number) {
    return std::format(R"({{"timestamp":"2025-08-25T10:00:00Z","service":"io","level":"INFO","message":"entry {}"}})",
                       number);
  }
  Answer post(std::string body, std::map<std::string, std::string> headers = {{"authorization", "Bearer sesame"}}) {
    std::promise<Answer> promise;
    auto answer = promise.get_future();
    receiver_->take(headers, body, [&](Answer given) { promise.set_value(std::move(given)); });
    return answer.get();
  }
  Answer post(const forward::Batch& batch) { return post(forward::to_gateway(batch)); }
  json taken(const forward::Batch& batch) { return json::parse(post(batch).body); }
  static bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + time_limit(20s);
    while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(2ms);
    return condition();
  }

  TemporaryFolder folder_;
  WallClock clock_;
  std::unique_ptr<Receiver> receiver_;
};

TEST_F(ReceiverTest, a_batch_is_taken_once) {
  open();
  EXPECT_EQ(taken(batch_of(1, 10))["accepted"], 10);
  const json again = taken(batch_of(1, 10));
  EXPECT_EQ(again["accepted"], 0);
  EXPECT_EQ(again["duplicates"], 10);
  EXPECT_EQ(taken(batch_of(1, 10, kOther))["accepted"], 10) << "another source's are others";
  EXPECT_EQ(taken(batch_of(8, 15))["accepted"], 5) << "in another cut";
  EXPECT_EQ(receiver_->counts().records, 25U);
  EXPECT_EQ(receiver_->counts().duplicates, 13U);
}

TEST_F(ReceiverTest, what_was_taken_is_known_after_a_restart_with_and_without_its_marks) {
  open();
  EXPECT_EQ(taken(batch_of(11, 20))["accepted"], 10) << "not in order";
  EXPECT_EQ(taken(batch_of(1, 5))["accepted"], 5);
  open();
  EXPECT_EQ(taken(batch_of(11, 20))["accepted"], 0);
  EXPECT_EQ(taken(batch_of(1, 10))["accepted"], 5);
  receiver_.reset();
  ASSERT_TRUE(std::filesystem::remove(folder_.path() / "r/marks"));
  open();
  EXPECT_EQ(taken(batch_of(1, 20))["accepted"], 0);
  receiver_.reset();
  ASSERT_TRUE(write_file(folder_.path() / "r/marks", "RLTRCV1 00000000\n{}\n"));
  open();
  EXPECT_EQ(taken(batch_of(1, 20))["accepted"], 0);
  EXPECT_EQ(taken(batch_of(21, 21))["accepted"], 1);
}

// What a kill leaves: the marks of the start, and the buffers.
TEST_F(ReceiverTest, after_a_kill_the_buffers_say_what_the_marks_do_not_know) {
  open();
  EXPECT_EQ(taken(batch_of(1, 5))["accepted"], 5);
  open();
  const std::string before = read_file(folder_.path() / "r/marks").value();
  EXPECT_EQ(taken(batch_of(6, 30))["accepted"], 25);
  receiver_.reset();
  ASSERT_TRUE(write_file(folder_.path() / "r/marks", before));
  open();
  EXPECT_EQ(taken(batch_of(1, 30))["accepted"], 0);
}

TEST_F(ReceiverTest, the_same_batches_at_the_same_time_are_kept_once) {
  open();
  std::atomic<std::uint64_t> accepted = 0, later = 0;
  {
    std::vector<std::jthread> senders;
    for (std::uint64_t seed = 0; seed < 4; ++seed)
      senders.emplace_back([&, seed] {
        Random random(seed);
        for (int turn = 0; turn < 100; ++turn) {
          const std::uint64_t first = 1 + 10 * random.below(20);
          Answer answer;
          while ((answer = post(batch_of(first, first + 9))).status == 503) ++later;
          ASSERT_EQ(answer.status, 200) << answer.body;
          accepted += json::parse(answer.body)["accepted"].get<std::uint64_t>();
        }
      });
  }
  EXPECT_EQ(accepted, 200U);
  EXPECT_EQ(receiver_->counts().records, 200U);
}

TEST_F(ReceiverTest, who_does_not_show_the_token_is_not_read) {
  open();
  const std::string body = forward::to_gateway(batch_of(1, 1));
  for (const std::string wrong : {"", "Bearer", "Bearer sesam", "Bearer sesame2", "sesame", "Basic sesame"})
    EXPECT_EQ(post(body, {{"authorization", wrong}}).status, 401) << wrong;
  EXPECT_EQ(post("no batch", {}).status, 401);
  EXPECT_EQ(post(body, {{"x-api-key", "sesame"}}).status, 200);
  EXPECT_EQ(receiver_->counts().denied, 7U);
  ReceiverOptions none = options();
  none.token.clear();
  EXPECT_EQ(Receiver::open(none, clock_).error().code, Errc::invalid_argument);
  none.token_needed = false;
  open(none);
  EXPECT_EQ(post(body, {}).status, 200);
}

TEST_F(ReceiverTest, what_is_no_batch_is_refused_and_a_bomb_does_not_go_off) {
  ReceiverOptions with = options();
  with.body_bytes_max = 100'000;
  open(with);
  const std::map<std::string, std::string> zipped{{"authorization", "Bearer sesame"}, {"content-encoding", "gzip"}};
  EXPECT_EQ(post(forward::gzip(forward::to_gateway(batch_of(1, 10))), zipped).status, 200);
  EXPECT_EQ(post(forward::gzip(std::string(100'000'000, ' ')), zipped).status, 413);
  EXPECT_EQ(post("no gzip", zipped).status, 400);
  EXPECT_EQ(post(std::string(100'001, ' ')).status, 413);
  EXPECT_EQ(post("{}").status, 400);
  EXPECT_THAT(post("[").body, HasSubstr("no JSON"));
  EXPECT_EQ(post("{}", {{"authorization", "Bearer sesame"}, {"content-encoding", "br"}}).status, 415);
}

TEST_F(ReceiverTest, entries_that_are_none_are_refused_by_id_and_the_rest_is_taken) {
  open();
  forward::Batch batch = batch_of(1, 3);
  batch.records[1].entry = R"({"timestamp":"2025-08-25T10:00:00Z","service":"io","level":"LOUD","message":"m"})";
  const json answer = taken(batch);
  EXPECT_EQ(answer["accepted"], 2);
  ASSERT_EQ(answer["refused"].size(), 1U);
  EXPECT_EQ(answer["refused"][0]["id"], kSite + "-logs-2");
  EXPECT_THAT(answer["refused"][0]["reason"].get<std::string>(), HasSubstr("LOUD"));
  forward::Batch metrics = batch_of(1, 1, kSite, "metrics");
  EXPECT_EQ(taken(metrics)["refused"].size(), 1U) << "a log entry is no sample";
  metrics.records[0].entry = telemetry::to_payload({"rltune_a", {}, 1, 2.0});
  EXPECT_EQ(taken(metrics)["accepted"], 1);
}

TEST_F(ReceiverTest, sinks_that_cannot_be_are_said_at_the_start) {
  ReceiverOptions with = options();
  with.sinks = {{.name = "next", .kind = "gateway", .url = "https://127.0.0.1:1"}};
  EXPECT_EQ(Receiver::open(with, clock_).error().code, Errc::unsupported);
}

// Site, receiver, store: each batch twice, restarts and a store that misbehaves leave one copy of each under its own
// id.
TEST_F(ReceiverTest, it_forwards_to_a_store_under_the_sites_ids) {
  ASSERT_TRUE(rltune::testing::make_certificates(folder_.path()));
  rltune::testing::ReceiverProcess store(folder_.path());
  store.next({"take and reset", "take and half"});
  ReceiverOptions with = options();
  with.sinks = {store.sink("opensearch")};
  with.send_timeout = 2s;
  with.sinks[0].batch_max_kb = 16;
  for (std::uint64_t turn = 0; turn < 3; ++turn) {
    open(with);
    for (std::uint64_t batch = 0; batch < 10; ++batch) {
      EXPECT_EQ(post(batch_of(turn * 50 + batch * 10 + 1, turn * 50 + batch * 10 + 10)).status, 200);
      EXPECT_EQ(post(batch_of(turn * 50 + batch * 10 + 1, turn * 50 + batch * 10 + 10)).status, 200);
      EXPECT_EQ(post(batch_of(turn * 50 + batch * 10 + 1, turn * 50 + batch * 10 + 10, kOther)).status, 200);
    }
  }
  EXPECT_TRUE(eventually([&] { return receiver_->sinks()[0].figures.waiting_records == 0; }))
      << receiver_->sinks()[0].figures.trouble;
  const json report = store.report();
  EXPECT_EQ(report["faults"], json::array());
  EXPECT_EQ(report["records"].size(), 400U);
  for (const std::string& source : {kSite, kOther})
    for (std::uint64_t sequence = 1; sequence <= 200; ++sequence)
      EXPECT_EQ(report["records"][forward::record_id(source, "logs", sequence)], 1) << sequence;
}

}  // namespace
}  // namespace rltune::receive
