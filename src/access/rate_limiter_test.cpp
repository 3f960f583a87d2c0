#include "rltune/access/rate_limiter.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <format>
#include <thread>
#include <vector>

namespace rltune::access {
namespace {

using namespace std::chrono_literals;

TEST(RateLimiter, a_rested_caller_has_the_burst_and_then_the_rate) {
  RateLimiter limiter({.per_second = 10, .burst = 3});
  for (std::uint64_t left : {2U, 1U, 0U}) {
    const auto verdict = limiter.take("ada", 1s);
    EXPECT_TRUE(verdict.allowed);
    EXPECT_EQ(verdict.remaining, left);
  }
  const auto refused = limiter.take("ada", 1s);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.retry_after, 100ms);
  EXPECT_EQ(refused.full_after, 300ms);
  EXPECT_FALSE(limiter.take("ada", 1s + 99ms).allowed);
  EXPECT_TRUE(limiter.take("ada", 1s + 100ms).allowed);
  EXPECT_EQ(limiter.take("ada", 5s).remaining, 2U) << "never more than the burst";
}

TEST(RateLimiter, what_is_refused_costs_nothing) {
  RateLimiter limiter({.per_second = 1, .burst = 1});
  EXPECT_TRUE(limiter.take("ada", 1s).allowed);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(limiter.take("ada", 1500ms).allowed);
  EXPECT_TRUE(limiter.take("ada", 2s).allowed);
}

TEST(RateLimiter, callers_do_not_share) {
  RateLimiter limiter({.per_second = 1, .burst = 1});
  EXPECT_TRUE(limiter.take("ada", 1s).allowed);
  EXPECT_TRUE(limiter.take("grace", 1s).allowed);
}

TEST(RateLimiter, memory_is_bounded_and_newcomers_beyond_it_share) {
  RateLimiter limiter({.per_second = 1, .burst = 1}, 640);
  std::size_t allowed = 0;
  for (int i = 0; i < 10'000; ++i) allowed += limiter.take(std::format("10.0.{}.{}", i / 256, i % 256), 1s).allowed;
  EXPECT_LE(limiter.keys(), 640U);
  EXPECT_LE(allowed, 640U + 64U) << "each part of the table has one more bucket";
  // Once their buckets are full again, they make room.
  EXPECT_TRUE(limiter.take("newcomer", 10s).allowed);
  EXPECT_TRUE(limiter.take("another", 10s).allowed);
}

struct Load {
  double per_second;
  int threads;
};

class Accuracy : public ::testing::TestWithParam<Load> {};

// Threads offer three times the rate, on one clock that each call moves on. A bucket of one call would lose whatever
// the threads' order is off by: what is not taken in time is gone.
TEST_P(Accuracy, within_one_percent_of_what_is_set) {
  const auto [rate, threads] = GetParam();
  const double burst = std::max(10.0, rate / 10);
  RateLimiter limiter({.per_second = rate, .burst = burst});
  const auto offers = static_cast<std::int64_t>(std::max(3.0 * rate * 2, 30'000.0));
  const double step_ns = 1e9 / (3.0 * rate);
  std::atomic<std::int64_t> next = 0, allowed = 0;
  std::vector<std::jthread> callers;
  for (int i = 0; i < threads; ++i)
    callers.emplace_back([&] {
      for (std::int64_t mine = 0; (mine = next++) < offers;) {
        const Duration now(1'000'000'000 + static_cast<std::int64_t>(static_cast<double>(mine) * step_ns));
        if (limiter.take("ada", now).allowed) ++allowed;
      }
    });
  callers.clear();
  const double expected = rate * static_cast<double>(offers) * step_ns / 1e9 + burst;
  EXPECT_NEAR(static_cast<double>(allowed) / expected, 1.0, 0.01);
}

INSTANTIATE_TEST_SUITE_P(RateLimiter, Accuracy,
                         ::testing::Values(Load{10, 1}, Load{10, 8}, Load{100, 2}, Load{1'000, 4}, Load{10'000, 2},
                                           Load{33'333, 3}, Load{100'000, 1}, Load{100'000, 8}),
                         [](const auto& load) {
                           return std::format("{:g}_a_second_on_{}", load.param.per_second, load.param.threads);
                         });

}  // namespace
}  // namespace rltune::access
