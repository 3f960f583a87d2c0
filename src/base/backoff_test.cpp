#include "rltune/base/backoff.hpp"

#include <gtest/gtest.h>

namespace rltune {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, the_first_attempt_comes_at_once_and_later_ones_ever_later) {
  Backoff backoff(100ms, 500ms);
  EXPECT_EQ(backoff.next(), 0ms);
  EXPECT_EQ(backoff.next(), 100ms);
  EXPECT_EQ(backoff.next(), 200ms);
  EXPECT_EQ(backoff.next(), 400ms);
  EXPECT_EQ(backoff.next(), 500ms);
  EXPECT_EQ(backoff.next(), 500ms);
}

TEST(Backoff, success_starts_it_anew) {
  Backoff backoff(100ms, 500ms);
  for (int i = 0; i < 5; ++i) backoff.next();
  backoff.reset();
  EXPECT_EQ(backoff.next(), 0ms);
}

}  // namespace
}  // namespace rltune
