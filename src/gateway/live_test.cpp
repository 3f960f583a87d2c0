#include "live.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "rltune/api/json.hpp"
#include "rltune/v1/control.pb.h"
#include "temporary_folder.hpp"

namespace rltune::gateway {
namespace {

using namespace std::chrono_literals;
using api::Json;

// The far end of a socket, whose queue takes so many messages until they are read.
class Reader final : public webserver::Socket {
 public:
  explicit Reader(std::size_t room) : room_(room) {}
  bool send(std::string message, webserver::MessageKind) override {
    const std::scoped_lock lock(mutex_);
    if (queue_.size() >= room_) return false;
    queue_.push_back(std::move(message));
    news_.notify_all();
    return true;
  }
  void close(std::uint16_t code, std::string reason) override {
    const std::scoped_lock lock(mutex_);
    closed_ = std::to_string(code) + " " + reason;
    news_.notify_all();
  }
  Json next(std::chrono::milliseconds patience = 5s) {
    std::unique_lock lock(mutex_);
    if (!news_.wait_for(lock, patience, [this] { return !queue_.empty(); })) return {};
    const Json frame = Json::parse(queue_.front());
    queue_.pop_front();
    return frame;
  }
  std::string closed() {
    std::unique_lock lock(mutex_);
    news_.wait_for(lock, 10s, [this] { return !closed_.empty(); });
    return closed_;
  }

 private:
  const std::size_t room_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::deque<std::string> queue_;
  std::string closed_;
};

class LiveTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string endpoint = bus::event_endpoint(folder_.path().string(), "io");
    auto publisher = bus::Publisher::bind(context_, endpoint);
    ASSERT_TRUE(publisher);
    publisher_.emplace(std::move(*publisher));
    auto live = Live::start(context_, {.tags = {{"air", 1}, {"vent", 1}},
                                       .events = endpoint,
                                       .tick = 10ms,
                                       .ask = [this](const LiveOptions::Fill& fill) {
                                         ++asked_;
                                         fill(sample(1, 40.0, 1));
                                       }});
    ASSERT_TRUE(live);
    live_ = std::move(*live);
  }
  static v1::SampleBatch sample(std::uint32_t tag, double value, std::int64_t ns) {
    v1::SampleBatch batch;
    v1::Sample& one = *batch.add_samples();
    one.set_tag(tag);
    one.set_value(value);
    one.set_source_unix_ns(ns);
    return batch;
  }
  // A subscriber that just connected may miss the first ones, so it is said until it is heard.
  void publish(double air) {
    v1::SampleBatch batch = sample(0, air, ++time_);
    batch.set_sequence(++sequence_);
    publisher_->publish("samples", batch);
  }
  std::pair<std::shared_ptr<Reader>, webserver::SocketEvents> join(const std::string& says, std::size_t room = 100) {
    auto reader = std::make_shared<Reader>(room);
    auto events = live_->join(reader, [this] { return may_stay_.load(); });
    if (!says.empty()) events.on_message(says, webserver::MessageKind::text);
    return {reader, std::move(events)};
  }
  // Frames until one has that value of the air.
  Json until(Reader& reader, double air) {
    for (int i = 0; i < 100; ++i) {
      publish(air);
      const Json frame = reader.next(100ms);
      if (frame.is_object() && frame["values"].contains("air") && frame["values"]["air"][0] == air) return frame;
    }
    return {};
  }

  TemporaryFolder folder_;
  bus::Context context_;
  std::optional<bus::Publisher> publisher_;
  std::unique_ptr<Live> live_;
  std::atomic<int> asked_ = 0;
  std::atomic<bool> may_stay_ = true;
  std::int64_t time_ = 1'000;
  std::uint64_t sequence_ = 0;
};

TEST_F(LiveTest, a_client_gets_what_there_is_and_then_what_changes_of_what_it_asked_for) {
  auto [all, all_events] = join(R"({"subscribe":[]})");
  const Json first = all->next();
  EXPECT_EQ(first["values"]["vent"][0], 40.0) << "io was asked at the start";
  EXPECT_TRUE(until(*all, 21.0).is_object());
  auto [vent, vent_events] = join(R"({"subscribe":["vent"]})");
  const Json only = vent->next();
  EXPECT_EQ(only["values"].size(), 1U);
  EXPECT_EQ(only["values"]["vent"][0], 40.0);
}

TEST_F(LiveTest, a_client_that_reads_slowly_is_behind_and_never_wrong_and_delays_nobody) {
  auto [slow, slow_events] = join(R"({"subscribe":["air"]})", 1);
  auto [quick, quick_events] = join(R"({"subscribe":["air"]})");
  for (const double air : {1.0, 2.0, 3.0, 4.0}) EXPECT_TRUE(until(*quick, air).is_object()) << air;
  EXPECT_GT(live_->figures().passed_over, 0U);
  EXPECT_LT(slow->next()["values"]["air"][0].get<double>(), 4.0) << "what was in its queue";
  EXPECT_EQ(slow->next()["values"]["air"][0], 4.0) << "then the latest, without those between";
}

TEST_F(LiveTest, a_client_goes_on_from_the_frame_that_it_names) {
  auto [before, before_events] = join(R"({"subscribe":[]})");
  const Json last = until(*before, 5.0);
  ASSERT_TRUE(last.is_object());
  const auto again = [&](const std::string& epoch) {
    return Json{{"subscribe", Json::array()}, {"epoch", epoch}, {"after", last["frame"]}}.dump();
  };
  publish(6.0);
  auto [after, after_events] = join(again(last["epoch"]));
  EXPECT_FALSE(after->next()["values"].contains("vent")) << "it had that already";
  auto [other, other_events] = join(again("another"));
  EXPECT_TRUE(other->next()["values"].contains("vent")) << "of another start nothing is known";
}

TEST_F(LiveTest, a_gap_is_filled_by_asking_io) {
  auto [reader, events] = join(R"({"subscribe":["air"]})");
  EXPECT_TRUE(until(*reader, 1.0).is_object());
  const int before = asked_;
  for (double air = 2.0; asked_ == before && air < 1'000.0; ++air) {
    sequence_ += 5;
    EXPECT_TRUE(until(*reader, air).is_object());
  }
  EXPECT_GT(asked_, before);
}

TEST_F(LiveTest, who_asks_for_what_there_is_not_or_may_stay_no_longer_is_sent_away) {
  auto [unknown, unknown_events] = join(R"({"subscribe":["nothing"]})");
  EXPECT_EQ(unknown->closed(), "1008 a tag that the site does not have");
  auto [odd, odd_events] = join("hello");
  EXPECT_EQ(odd->closed().substr(0, 4), "1008");
  auto [ended, ended_events] = join(R"({"subscribe":[]})");
  may_stay_ = false;
  EXPECT_EQ(ended->closed(), "1008 the session has ended");
}

TEST_F(LiveTest, who_left_is_forgotten_and_events_may_come_after_the_end) {
  auto [reader, events] = join(R"({"subscribe":[]})");
  EXPECT_EQ(live_->figures().clients, 1U);
  events.on_close(1000, "");
  EXPECT_EQ(live_->figures().clients, 0U);
  auto [late, late_events] = join(R"({"subscribe":[]})");
  live_.reset();
  late_events.on_message(R"({"subscribe":[]})", webserver::MessageKind::text);
  late_events.on_close(1001, "");
}

}  // namespace
}  // namespace rltune::gateway
