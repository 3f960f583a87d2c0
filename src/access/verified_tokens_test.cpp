#include "rltune/access/verified_tokens.hpp"

#include <gtest/gtest.h>

#include "manual_clock.hpp"
#include "temporary_folder.hpp"

namespace rltune::access {
namespace {

using namespace std::chrono_literals;

class VerifiedTokensTest : public ::testing::Test {
 protected:
  std::string token(const std::string& id) const {
    return make_token({"rltune", "ada", "pilot", id, "s1", "viewer", clock_.now(), clock_.now() + 1h}, *keys_);
  }
  bool good(const std::string& token) { return tokens_.verify(token, clock_.now()).has_value(); }

  TemporaryFolder folder_;
  ManualClock clock_{parse_rfc3339("2026-01-02T00:00:00Z").value()};
  std::unique_ptr<KeyRing> keys_ =
      KeyRing::open({.file = folder_.path() / "keys", .rotate_every = 720h, .verify_for = 2h}, clock_).value();
  VerifiedTokens tokens_{*keys_, {.issuer = "rltune", .audience = "pilot"}, 320};
};

TEST_F(VerifiedTokensTest, the_same_token_has_the_same_claims_again) {
  const std::string one = token("t1");
  const auto first = tokens_.verify(one, clock_.now()), again = tokens_.verify(one, clock_.now());
  ASSERT_TRUE(first && again);
  EXPECT_EQ(*first, *again) << "not verified anew";
  EXPECT_EQ((*first)->id, "t1");
  EXPECT_EQ(tokens_.remembered(), 1U);
}

TEST_F(VerifiedTokensTest, what_is_wrong_is_not_remembered) {
  std::string wrong = token("t1");
  wrong[wrong.size() / 2] = wrong[wrong.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(good(wrong));
  EXPECT_FALSE(good(wrong));
  EXPECT_EQ(tokens_.remembered(), 0U);
}

TEST_F(VerifiedTokensTest, one_that_was_good_ends_with_its_time) {
  const std::string one = token("t1");
  EXPECT_TRUE(good(one));
  clock_.advance(1h + 31s);
  EXPECT_FALSE(good(one));
}

TEST_F(VerifiedTokensTest, one_that_was_good_ends_with_its_key) {
  const std::string one = token("t1");
  EXPECT_TRUE(good(one));
  ASSERT_TRUE(keys_->rotate());
  EXPECT_TRUE(good(one));
  for (const KeyInfo& key : keys_->keys()) {
    if (key.state != KeyState::verifying) continue;
    ASSERT_TRUE(keys_->revoke(key.id));
  }
  EXPECT_FALSE(good(one));
}

TEST_F(VerifiedTokensTest, memory_is_bounded_and_what_is_used_stays) {
  const std::string often = token("often");
  const auto first = tokens_.verify(often, clock_.now());
  ASSERT_TRUE(first);
  for (int i = 0; i < 2'000; ++i) {
    EXPECT_TRUE(good(token(std::to_string(i))));
    EXPECT_EQ(tokens_.verify(often, clock_.now()).value(), *first);
  }
  EXPECT_LE(tokens_.remembered(), 320U);
}

}  // namespace
}  // namespace rltune::access
