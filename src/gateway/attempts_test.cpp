#include "attempts.hpp"

#include <gtest/gtest.h>

namespace rltune::gateway {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kBegun(1'800'000'000s);

TEST(Attempts, one_comes_back_once_with_what_it_began_with) {
  Attempts attempts;
  const Attempt begun = attempts.begin(kBegun), other = attempts.begin(kBegun);
  EXPECT_NE(begun.state, other.state);
  EXPECT_NE(begun.state, begun.nonce);
  EXPECT_NE(begun.nonce, begun.verifier);
  const auto back = attempts.take(begun.cookie, begun.state, kBegun + 1s);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->nonce, begun.nonce);
  EXPECT_EQ(back->verifier, begun.verifier);
  EXPECT_FALSE(attempts.take(begun.cookie, begun.state, kBegun + 2s));
  EXPECT_TRUE(attempts.take(other.cookie, other.state, kBegun + 2s));
}

TEST(Attempts, the_state_of_another_browser_is_worth_nothing) {
  Attempts attempts;
  const Attempt mine = attempts.begin(kBegun), yours = attempts.begin(kBegun);
  EXPECT_FALSE(attempts.take(mine.cookie, yours.state, kBegun));
  EXPECT_FALSE(attempts.take("", yours.state, kBegun));
  EXPECT_FALSE(attempts.take(mine.cookie, "", kBegun));
  Attempts others;
  EXPECT_FALSE(others.take(mine.cookie, mine.state, kBegun)) << "another process, or this one before it started again";
  EXPECT_TRUE(attempts.take(mine.cookie, mine.state, kBegun)) << "a wrong try uses nothing up";
}

TEST(Attempts, one_is_over_after_ten_minutes) {
  Attempts attempts;
  const Attempt late = attempts.begin(kBegun), early = attempts.begin(kBegun + 1min);
  EXPECT_FALSE(attempts.take(late.cookie, late.state, kBegun + 10min));
  EXPECT_TRUE(attempts.take(late.cookie, late.state, kBegun + 10min - 1s));
  EXPECT_FALSE(attempts.take(early.cookie, early.state, kBegun)) << "it has not begun yet: the clock went back";
}

TEST(Attempts, what_is_remembered_of_them_is_bounded) {
  Attempts attempts(2);
  for (int i = 0; i < 2; ++i) {
    const Attempt one = attempts.begin(kBegun);
    EXPECT_TRUE(attempts.take(one.cookie, one.state, kBegun));
  }
  const Attempt third = attempts.begin(kBegun);
  EXPECT_FALSE(attempts.take(third.cookie, third.state, kBegun));
  const Attempt later = attempts.begin(kBegun + 10min);
  EXPECT_TRUE(attempts.take(later.cookie, later.state, kBegun + 10min)) << "those before it are over";
}

TEST(Attempts, a_cookie_that_is_none_is_refused) {
  Attempts attempts;
  for (const char* odd : {"", ".", "1.", "-1.a", "1800000000", "1800000000.short", "99999999999999999999.x",
                          " 1800000000.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})
    EXPECT_FALSE(attempts.take(odd, "state", kBegun)) << odd;
}

// RFC 7636, appendix B.
TEST(Attempts, the_challenge_is_the_one_of_the_standard) {
  EXPECT_EQ((Attempt{.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}.challenge()),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

}  // namespace
}  // namespace rltune::gateway
