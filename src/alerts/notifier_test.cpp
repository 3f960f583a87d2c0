#include "rltune/alerts/notifier.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace rltune::alerts {
namespace {

using namespace std::chrono_literals;

// What the channels of a test were told, and how each answers.
struct World {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> told;                 // "a 1": channel and number
  std::map<std::string, std::deque<Errc>> next;  // failures to come, by channel
  std::set<std::string> hanging;

  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 10s, [&] { return told.size() >= count; });
  }
};

class FakeChannel final : public Channel {
 public:
  FakeChannel(World& world, std::string name) : world_(world), name_(std::move(name)) {}
  Result<> tell(const Notice& notice) override {
    std::unique_lock lock(world_.mutex);
    world_.told.push_back(name_ + " " + std::to_string(notice.number));
    world_.changed.notify_all();
    if (world_.hanging.contains(name_)) {
      world_.changed.wait(lock, [&] { return cancelled_; });
      return fail(Errc::cancelled, "cancelled");
    }
    auto& next = world_.next[name_];
    if (next.empty()) return {};
    const Errc code = next.front();
    next.pop_front();
    return fail(code, "as the test says");
  }
  void cancel() noexcept override {
    const std::lock_guard lock(world_.mutex);
    cancelled_ = true;
    world_.changed.notify_all();
  }

 private:
  World& world_;
  std::string name_;
  bool cancelled_ = false;
};

class NotifierTest : public ::testing::Test {
 protected:
  std::unique_ptr<Notifier> make(int tries_max = 10) {
    return std::make_unique<Notifier>(
        std::vector<config::Channel>{{.name = "a"}, {.name = "b"}},
        NotifierOptions{.channel = {},
                        .tries_max = tries_max,
                        .wait_first = 1ms,
                        .wait_max = 4ms,
                        .make = [this](const config::Channel& channel, const ChannelOptions&) {
                          return std::make_unique<FakeChannel>(world_, channel.name);
                        }});
  }
  static Notice notice(std::uint64_t number, const char* channel) {
    Notice made;
    made.number = number, made.channel = channel;
    return made;
  }
  // Those of finished(), once there are so many.
  static std::vector<std::uint64_t> finish(Notifier& notifier, std::size_t count) {
    std::vector<std::uint64_t> all;
    for (const auto end = std::chrono::steady_clock::now() + 10s;
         all.size() < count && std::chrono::steady_clock::now() < end; std::this_thread::yield())
      std::ranges::copy(notifier.finished(), std::back_inserter(all));
    std::ranges::sort(all);
    return all;
  }
  World world_;
};

TEST_F(NotifierTest, each_channel_is_told_in_order_and_once) {
  const auto notifier = make();
  for (std::uint64_t i = 1; i <= 6; ++i) notifier->submit(notice(i, i % 2 == 0 ? "a" : "b"));
  for (std::uint64_t i = 1; i <= 6; ++i) notifier->submit(notice(i, i % 2 == 0 ? "a" : "b"));
  EXPECT_EQ(finish(*notifier, 6), (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6}));
  std::vector<std::string> a, b;
  for (const std::string& told : world_.told) (told[0] == 'a' ? a : b).push_back(told);
  EXPECT_EQ(a, (std::vector<std::string>{"a 2", "a 4", "a 6"}));
  EXPECT_EQ(b, (std::vector<std::string>{"b 1", "b 3", "b 5"}));
}

TEST_F(NotifierTest, what_fails_is_tried_again_and_what_is_refused_is_not) {
  world_.next["a"] = {Errc::timeout, Errc::disconnected};
  world_.next["b"] = {Errc::mismatch};
  const auto notifier = make();
  notifier->submit(notice(1, "a"));
  notifier->submit(notice(2, "b"));
  EXPECT_EQ(finish(*notifier, 2), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(std::ranges::count(world_.told, "a 1"), 3);
  EXPECT_EQ(std::ranges::count(world_.told, "b 2"), 1);
  const auto counts = notifier->counts();
  EXPECT_EQ(counts[0].told, 1U);
  EXPECT_EQ(counts[0].failed, 2U);
  EXPECT_EQ(counts[0].fault, "");
  EXPECT_EQ(counts[1].given_up, 1U);
  EXPECT_EQ(counts[1].fault, "mismatch: as the test says");
}

TEST_F(NotifierTest, what_fails_too_often_is_given_up_and_the_next_is_told) {
  world_.next["a"] = {Errc::timeout, Errc::timeout, Errc::timeout};
  const auto notifier = make(3);
  notifier->submit(notice(1, "a"));
  notifier->submit(notice(2, "a"));
  EXPECT_EQ(finish(*notifier, 2), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(notifier->counts()[0].given_up, 1U);
  EXPECT_EQ(notifier->counts()[0].told, 1U);
}

TEST_F(NotifierTest, a_channel_that_hangs_delays_no_other_and_ends_with_the_notifier) {
  world_.hanging = {"a"};
  auto notifier = make();
  notifier->submit(notice(1, "a"));
  notifier->submit(notice(2, "b"));
  EXPECT_EQ(finish(*notifier, 1), std::vector<std::uint64_t>{2});
  ASSERT_TRUE(world_.wait_for(2));
  EXPECT_EQ(notifier->counts()[0].waiting, 1U);
  notifier.reset();
}

TEST_F(NotifierTest, a_channel_that_is_gone_leaves_nothing_waiting) {
  const auto notifier = make();
  notifier->submit(notice(1, "gone"));
  EXPECT_EQ(finish(*notifier, 1), std::vector<std::uint64_t>{1});
}

}  // namespace
}  // namespace rltune::alerts
