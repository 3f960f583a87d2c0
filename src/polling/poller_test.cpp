#include "rltune/polling/poller.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "manual_clock.hpp"
#include "rltune/metrics/endpoint.hpp"
#include "time_limit.hpp"

namespace rltune::polling {
namespace {

using namespace std::chrono_literals;
using telemetry::MetricSample;
using Batch = std::vector<MetricSample>;
using ::testing::HasSubstr;

// A server that sends these bytes to whoever comes, whatever is asked, and then ends, or holds the line open.
class Misbehaving {
 public:
  enum class Then { ends, hangs };
  explicit Misbehaving(std::string bytes, Then then = Then::ends) : bytes_(std::move(bytes)), then_(then) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in where{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    socklen_t size = sizeof where;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&where), sizeof where);
    ::listen(listener_, 16);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &size);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(where.sin_port)) + "/metrics";
    thread_ = std::thread([this] { serve(); });
  }
  ~Misbehaving() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  const std::string& url() const { return url_; }

 private:
  void serve() {
    std::vector<int> open;
    for (int client = 0; (client = ::accept(listener_, nullptr, nullptr)) >= 0;) {
      char request[4096];
      (void)::recv(client, request, sizeof request, 0);
      (void)::send(client, bytes_.data(), bytes_.size(), MSG_NOSIGNAL);
      if (then_ == Then::ends)
        ::close(client);
      else
        open.push_back(client);
    }
    for (const int client : open) ::close(client);
  }

  std::string bytes_, url_;
  Then then_;
  int listener_ = -1;
  std::thread thread_;
};

std::string answer(const std::string& body, const char* status = "200 OK") {
  return std::string("HTTP/1.1 ") + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class PollerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Poller> make(std::vector<Target> targets, PollerOptions options = {.every = 15s, .timeout = 500ms}) {
    return std::make_unique<Poller>(
        clock_, options, [targets] { return targets; }, [this](Batch batch) { batches_.push_back(std::move(batch)); });
  }
  // The batch of the target with this instance.
  const Batch& batch_of(const std::string& instance) const {
    static const Batch kNone;
    const auto found = std::ranges::find_if(
        batches_, [&](const Batch& batch) { return batch.back().labels.at("instance") == instance; });
    return found == batches_.end() ? kNone : *found;
  }
  static double value_of(const Batch& batch, const std::string& name) {
    const auto found = std::ranges::find(batch, name, &MetricSample::name);
    return found == batch.end() ? -1.0 : found->value;
  }
  static Target target(const std::string& url, const std::string& instance) {
    return {url, {{"job", "rltune"}, {"instance", instance}, {"site", "pilot"}}};
  }

  ManualClock clock_{TimePoint(1'000'000s)};
  std::vector<Batch> batches_;
};

TEST_F(PollerTest, a_role_s_endpoint_gives_what_the_role_counted_with_the_target_s_labels) {
  metrics::Operations operations("io", clock_);
  operations.registry.counter("rltune_data_health_samples_total", "Samples", {{"site", "other"}}).add(7.0);
  operations.open();
  const auto poller = make({target("http://" + operations.address() + "/metrics", "a")});
  ASSERT_TRUE(poller->turn());
  ASSERT_EQ(batches_.size(), 1U);
  const Batch& batch = batches_[0];
  const auto found = std::ranges::find(batch, "rltune_data_health_samples_total", &MetricSample::name);
  ASSERT_NE(found, batch.end());
  EXPECT_EQ(*found, (MetricSample{"rltune_data_health_samples_total",
                                  {{"job", "rltune"}, {"instance", "a"}, {"site", "pilot"}, {"exported_site", "other"}},
                                  1'000'000'000,
                                  7.0}));
  EXPECT_EQ(value_of(batch, "up"), 1.0);
  EXPECT_EQ(value_of(batch, "scrape_samples_scraped"), static_cast<double>(batch.size() - 3));
  EXPECT_EQ(value_of(batch, "scrape_duration_seconds"), 0.0);
}

TEST_F(PollerTest, who_hangs_lies_or_is_not_there_is_down_by_name_and_delays_nobody) {
  const Misbehaving silent("", Misbehaving::Then::hangs), cut(answer("a 1\n").substr(0, 40)),
      half("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\na 1\n", Misbehaving::Then::hangs), page(answer("<html>\n")),
      error(answer("busy\n", "503 Busy")), moved(answer("a 1\n", "302 Found")), good(answer("a 1\n")),
      huge(answer(std::string(200'000, '\n')));
  std::vector<std::string> order;
  std::vector<Target> targets;
  for (const auto& [name, server] :
       std::initializer_list<std::pair<const char*, const Misbehaving*>>{{"silent", &silent},
                                                                         {"cut", &cut},
                                                                         {"half", &half},
                                                                         {"page", &page},
                                                                         {"error", &error},
                                                                         {"moved", &moved},
                                                                         {"good", &good},
                                                                         {"huge", &huge}})
    targets.push_back(target(server->url(), name));
  targets.push_back(target("http://127.0.0.1:1/metrics", "nobody"));
  const auto poller = make(targets, {.every = 15s, .timeout = 500ms, .limits = {.bytes_max = 100'000}});
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(poller->turn());
  EXPECT_LT(std::chrono::steady_clock::now() - began, time_limit(2s));
  ASSERT_EQ(batches_.size(), targets.size());
  EXPECT_EQ(value_of(batch_of("good"), "up"), 1.0);
  EXPECT_EQ(value_of(batch_of("good"), "a"), 1.0);
  // Who answers has been handed over before those that hang had their time.
  const auto place = [&](const char* name) {
    return std::ranges::find_if(batches_, [&](const Batch& b) { return b.back().labels.at("instance") == name; });
  };
  EXPECT_LT(place("good"), place("silent"));
  EXPECT_LT(place("good"), place("half"));
  std::map<std::string, std::string> faults;
  for (const TargetState& state : poller->targets()) faults[state.target.labels.at("instance")] = state.fault;
  EXPECT_THAT(faults["silent"], HasSubstr("timeout"));
  EXPECT_THAT(faults["half"], HasSubstr("timeout"));
  EXPECT_THAT(faults["cut"], HasSubstr("disconnected"));
  EXPECT_THAT(faults["nobody"], HasSubstr("disconnected"));
  EXPECT_THAT(faults["page"], HasSubstr("parse: line 1: '<html>' is not the name of a metric"));
  EXPECT_THAT(faults["error"], HasSubstr("it answers with status 503"));
  EXPECT_THAT(faults["moved"], HasSubstr("it answers with status 302"));
  EXPECT_NE(faults["huge"], "");
  EXPECT_EQ(faults["good"], "");
  faults.erase("good");
  for (const auto& [name, fault] : faults) {
    EXPECT_EQ(value_of(batch_of(name), "up"), 0.0) << name;
    EXPECT_EQ(batch_of(name).size(), 3U) << name;
  }
  EXPECT_EQ(poller->counts().faults, targets.size() - 1);
  EXPECT_EQ(poller->counts().polls, targets.size());
}

TEST_F(PollerTest, rounds_keep_their_beat_and_those_that_were_missed_are_counted) {
  const Misbehaving good(answer("a 1\n"));
  const auto poller = make({target(good.url(), "good")});
  EXPECT_TRUE(poller->turn());
  EXPECT_FALSE(poller->turn());
  clock_.advance(14s);
  EXPECT_FALSE(poller->turn());
  clock_.advance(2s);
  EXPECT_TRUE(poller->turn());
  EXPECT_EQ(poller->due(), 30s);
  clock_.advance(50s);
  EXPECT_TRUE(poller->turn());
  EXPECT_EQ(poller->due(), 75s);
  EXPECT_EQ(poller->counts().rounds, 3U);
  EXPECT_EQ(poller->counts().missed, 2U);
}

TEST_F(PollerTest, a_target_that_comes_goes_and_stands_there_twice_is_asked_once_a_round) {
  const Misbehaving first(answer("a 1\n")), second(answer("b 1\n"));
  std::vector<Target> targets{target(first.url(), "1"), target(first.url(), "twice")};
  Poller poller(
      clock_, {.every = 15s, .timeout = 500ms}, [&] { return targets; },
      [this](Batch batch) { batches_.push_back(std::move(batch)); });
  EXPECT_TRUE(poller.turn());
  EXPECT_EQ(batches_.size(), 1U);
  targets = {target(second.url(), "2")};
  clock_.advance(15s);
  EXPECT_TRUE(poller.turn());
  ASSERT_EQ(batches_.size(), 2U);
  EXPECT_EQ(value_of(batches_[1], "b"), 1.0);
  EXPECT_EQ(poller.targets().size(), 1U);
  targets.clear();
  clock_.advance(15s);
  EXPECT_TRUE(poller.turn());
  EXPECT_EQ(batches_.size(), 2U);
}

TEST_F(PollerTest, too_many_targets_are_left_out_and_counted) {
  const Misbehaving first(answer("a 1\n")), second(answer("b 1\n"));
  const auto poller = make({target(first.url(), "1"), target(second.url(), "2")}, {.every = 15s, .targets_max = 1});
  EXPECT_TRUE(poller->turn());
  EXPECT_EQ(batches_.size(), 1U);
  EXPECT_EQ(poller->counts().left_out, 1U);
}

TEST_F(PollerTest, samples_with_a_time_of_their_own_keep_it_and_stand_in_order) {
  const Misbehaving good(answer("late 1 999999999\nearly 2 5\nnow 3\n"));
  const auto poller = make({target(good.url(), "good")});
  EXPECT_TRUE(poller->turn());
  ASSERT_EQ(batches_.size(), 1U);
  EXPECT_EQ(batches_[0][0].name, "early");
  EXPECT_EQ(batches_[0][1].name, "late");
  EXPECT_TRUE(std::ranges::is_sorted(batches_[0], {}, &MetricSample::unix_ms));
}

TEST_F(PollerTest, stopping_ends_a_round_that_waits) {
  const Misbehaving silent("", Misbehaving::Then::hangs);
  const auto poller = make({target(silent.url(), "silent")}, {.every = 60s, .timeout = 50s});
  const auto began = std::chrono::steady_clock::now();
  std::thread other([&] { poller->turn(); });
  while (poller->targets().empty() && std::chrono::steady_clock::now() - began < 10s) std::this_thread::yield();
  poller->stop();
  other.join();
  EXPECT_LT(std::chrono::steady_clock::now() - began, time_limit(5s));
  EXPECT_TRUE(batches_.empty());
  clock_.advance(60s);
  EXPECT_FALSE(poller->turn());
}

}  // namespace
}  // namespace rltune::polling
