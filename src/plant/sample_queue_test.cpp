#include "sample_queue.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace rltune::plant {
namespace {

std::vector<Sample> samples(double first, int count) {
  std::vector<Sample> all;
  for (int i = 0; i < count; ++i) all.push_back({.value = first + i});
  return all;
}

TEST(SampleQueue, the_oldest_go_when_it_is_full) {
  SampleQueue queue(4);
  EXPECT_EQ(queue.push(samples(1, 3)), 0u);
  EXPECT_FALSE(queue.has_room());
  EXPECT_EQ(queue.push(samples(4, 3)), 2u);
  std::array<Sample, 8> out;
  ASSERT_EQ(queue.pop(out), 4u);
  EXPECT_EQ(out[0].value, 3.0);
  EXPECT_EQ(out[3].value, 6.0);
  EXPECT_EQ(queue.pop(out), 0u);
}

TEST(SampleQueue, a_reader_wakes_when_something_comes_and_only_then) {
  SampleQueue queue(16);
  const auto started = std::chrono::steady_clock::now();
  queue.wait(std::chrono::milliseconds(30));
  EXPECT_GE(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(29));
  std::thread writer([&] { queue.push(samples(1, 2)); });
  queue.wait(std::chrono::seconds(10));
  std::array<Sample, 1> out;
  EXPECT_EQ(queue.pop(out), 1u);
  writer.join();
  queue.wait(std::chrono::seconds(10));  // one is left: returns at once
  EXPECT_EQ(queue.pop(out), 1u);
}

TEST(SampleQueue, nothing_is_lost_between_two_threads) {
  SampleQueue queue(1 << 12);
  constexpr int kCount = 20'000;
  std::thread writer([&] {
    for (int i = 0; i < kCount;) {
      if (!queue.has_room()) continue;
      queue.push(samples(i, 10));
      i += 10;
    }
  });
  std::array<Sample, 64> out;
  double expected = 0.0;
  while (expected < kCount) {
    queue.wait(std::chrono::seconds(10));
    const auto count = queue.pop(out);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(out[i].value, expected++);
  }
  writer.join();
}

}  // namespace
}  // namespace rltune::plant
