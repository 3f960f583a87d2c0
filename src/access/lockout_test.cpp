#include "rltune/access/lockout.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <format>
#include <thread>
#include <vector>

namespace rltune::access {
namespace {

using namespace std::chrono_literals;

class LockoutTest : public ::testing::Test {
 protected:
  AttemptVerdict wrong(const std::string& account, const std::string& address) {
    return lockout_.attempt(account, address, now_);
  }
  bool right(const std::string& account, const std::string& address) {
    if (!lockout_.attempt(account, address, now_).allowed) return false;
    lockout_.right(account, address, now_);
    return true;
  }
  // So many wrong passwords for one account, each from another address.
  void guess_from_everywhere(const std::string& account, int count) {
    for (int i = 0; i < count; ++i) wrong(account, std::format("10.9.0.{}", i));
  }

  Lockout lockout_{{.attempts_max = 5, .lock_for = 15min, .account_max = 20, .address_max = 30, .known_for = 720h}};
  Duration now_ = 1h;
};

TEST_F(LockoutTest, five_in_a_row_lock_for_a_quarter_of_an_hour) {
  for (const unsigned left : {4U, 3U, 2U, 1U, 0U}) {
    const auto verdict = wrong("ada", "10.0.0.1");
    EXPECT_TRUE(verdict.allowed);
    EXPECT_EQ(verdict.left, left);
    EXPECT_EQ(verdict.retry_after, 0s);
  }
  EXPECT_EQ(wrong("ada", "10.0.0.1").retry_after, 15min);
  now_ += 15min - 1ns;
  const auto refused = wrong("ada", "10.0.0.1");
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.retry_after, 1ns) << "what was refused has not prolonged it";
  now_ += 1ns;
  EXPECT_EQ(wrong("ada", "10.0.0.1").left, 4U) << "the count begins anew";
}

TEST_F(LockoutTest, the_right_password_ends_the_row) {
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(wrong("ada", "10.0.0.1").allowed);
    EXPECT_TRUE(right("ada", "10.0.0.1")) << "also as the last of five";
  }
}

TEST_F(LockoutTest, attempts_long_ago_are_no_row) {
  for (int i = 0; i < 50; ++i, now_ += 15min) EXPECT_EQ(wrong("ada", "10.0.0.1").left, 4U);
}

TEST_F(LockoutTest, neither_another_account_nor_another_address_is_locked_with_it) {
  while (wrong("ada", "10.0.0.1").allowed) continue;
  EXPECT_TRUE(right("grace", "10.0.0.1"));
  EXPECT_TRUE(right("ada", "10.0.0.2"));
  EXPECT_FALSE(right("ada", "10.0.0.1")) << "a sign-in elsewhere gives whoever guesses here no more guesses";
}

TEST_F(LockoutTest, accounts_and_addresses_that_read_the_same_together_are_different_pairs) {
  while (wrong("ada1", "0.0.0.1").allowed) continue;
  EXPECT_EQ(wrong("ada", "10.0.0.1").left, 4U);
}

TEST_F(LockoutTest, guesses_from_many_addresses_lock_the_account) {
  guess_from_everywhere("ada", 20);
  const auto refused = wrong("ada", "10.0.0.1");
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.retry_after, 15min);
  EXPECT_TRUE(right("grace", "10.0.0.1"));
  now_ += 15min;
  EXPECT_TRUE(right("ada", "10.0.0.1"));
}

TEST_F(LockoutTest, nobody_is_locked_out_of_the_usual_place_from_elsewhere) {
  EXPECT_TRUE(right("ada", "10.0.0.1"));
  guess_from_everywhere("ada", 100);
  EXPECT_FALSE(wrong("ada", "10.0.0.2").allowed);
  EXPECT_TRUE(right("ada", "10.0.0.1"));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(wrong("ada", "10.0.0.1").allowed);
  EXPECT_FALSE(wrong("ada", "10.0.0.1").allowed) << "five in a row bind there too";
  now_ += 720h;
  guess_from_everywhere("ada", 20);
  EXPECT_FALSE(right("ada", "10.0.0.1")) << "a place that was not used for long is as any other";
}

TEST_F(LockoutTest, one_password_tried_on_every_account_locks_the_address) {
  EXPECT_TRUE(right("grace", "10.0.0.1"));
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(wrong(std::format("user{}", i), "10.0.0.1").allowed);
  EXPECT_FALSE(wrong("another", "10.0.0.1").allowed);
  EXPECT_TRUE(wrong("another", "10.0.0.2").allowed);
  EXPECT_TRUE(right("grace", "10.0.0.1")) << "who has signed in there before still can";
}

TEST_F(LockoutTest, a_right_password_of_ones_own_buys_no_guesses_at_others) {
  int guesses = 0;
  for (; guesses < 1000; ++guesses) {
    right("mallory", "10.0.0.1");
    if (!wrong(std::format("user{}", guesses), "10.0.0.1").allowed) break;
  }
  EXPECT_EQ(guesses, 30);
}

TEST_F(LockoutTest, people_who_sign_in_from_one_address_do_not_lock_it) {
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(right(std::format("user{}", i), "10.0.0.1"));
}

TEST_F(LockoutTest, attempts_at_once_are_no_more_than_attempts_in_a_row) {
  std::atomic<int> allowed = 0;
  std::vector<std::jthread> callers;
  for (int i = 0; i < 8; ++i)
    callers.emplace_back([&] {
      for (int n = 0; n < 100; ++n) allowed += wrong("ada", "10.0.0.1").allowed ? 1 : 0;
    });
  callers.clear();
  EXPECT_EQ(allowed, 5);
}

TEST(LockoutMemory, is_bounded_and_the_oldest_count_is_forgotten_first) {
  Lockout lockout({.attempts_max = 1, .account_max = 10, .address_max = 10, .keys_max = 100});
  const auto allowed = [&](int i) { return lockout.attempt(std::format("u{}", i), std::format("a{}", i), 1h).allowed; };
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(allowed(i));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(allowed(i));
  EXPECT_TRUE(allowed(100));
  EXPECT_FALSE(allowed(1));
  EXPECT_TRUE(allowed(0)) << "it made room";
}

}  // namespace
}  // namespace rltune::access
