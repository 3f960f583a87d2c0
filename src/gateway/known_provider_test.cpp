#include "known_provider.hpp"

#include <gmock/gmock.h>

#include "manual_clock.hpp"
#include "signing_key_of_a_provider.hpp"

namespace rltune::gateway {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

// A provider that answers, or does not, and counts how often it was asked.
class KnownProviderTest : public ::testing::Test {
 protected:
  Result<std::string> fetch(const std::string& url) {
    ++asked_;
    if (!answers_) return fail(Errc::disconnected, "nobody is there");
    if (url == "https://a/keys") return json{{"keys", {shown_->jwk()}}}.dump();
    EXPECT_EQ(url, "https://a/.well-known/openid-configuration");
    return json{{"issuer", "https://a"},
                {"authorization_endpoint", "https://a/auth"},
                {"token_endpoint", "https://a/token"},
                {"jwks_uri", "https://a/keys"}}
        .dump();
  }
  Result<std::string> verify(const ProviderKey& key) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
    const json claims{{"iss", "https://a"},  {"aud", "rltune"}, {"iat", seconds},
                      {"exp", seconds + 60}, {"nonce", "n"},    {"name", "ada"}};
    return provider_.verify(key.token(claims),
                            {.issuer = "https://a", .client_id = "rltune", .nonce = "n", .user_claim = "name"});
  }

  static inline const ProviderKey first_{"EdDSA", "1"}, second_{"EdDSA", "2"};
  ManualClock clock_{TimePoint(1'800'000'000s)};
  const ProviderKey* shown_ = &first_;
  bool answers_ = true;
  int asked_ = 0;
  KnownProvider provider_{"https://a", [this](const std::string& url) { return fetch(url); }, clock_};
};

TEST_F(KnownProviderTest, it_is_asked_once_an_hour) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(provider_.endpoints()->authorization, "https://a/auth");
  EXPECT_EQ(verify(first_), "ada");
  EXPECT_EQ(asked_, 2);
  clock_.advance(59min);
  EXPECT_TRUE(provider_.endpoints());
  EXPECT_EQ(asked_, 2);
  clock_.advance(1min);
  EXPECT_TRUE(provider_.endpoints());
  EXPECT_EQ(asked_, 4);
}

TEST_F(KnownProviderTest, a_new_key_is_fetched_when_a_token_names_it) {
  EXPECT_EQ(verify(first_), "ada");
  shown_ = &second_;
  clock_.advance(KnownProvider::kPause);
  EXPECT_EQ(verify(second_), "ada");
  EXPECT_EQ(asked_, 4);
  EXPECT_EQ(verify(first_).error().code, Errc::not_found) << "the key that went is good for nothing";
}

TEST_F(KnownProviderTest, tokens_of_unknown_keys_do_not_make_us_ask_without_end) {
  EXPECT_EQ(verify(first_), "ada");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(verify(second_).error().code, Errc::not_found);
  EXPECT_EQ(asked_, 2) << "less than ten seconds ago";
  clock_.advance(KnownProvider::kPause);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(verify(second_));
  EXPECT_EQ(asked_, 4);
}

TEST_F(KnownProviderTest, the_last_good_keys_hold_for_a_day_and_then_nobody_is_believed) {
  EXPECT_EQ(verify(first_), "ada");
  answers_ = false;
  clock_.advance(23h + 59min);
  EXPECT_EQ(verify(first_), "ada");
  clock_.advance(1min);
  EXPECT_EQ(verify(first_).error().code, Errc::disconnected);
  EXPECT_FALSE(provider_.endpoints());
  answers_ = true;
  clock_.advance(KnownProvider::kPause);
  EXPECT_EQ(verify(first_), "ada") << "it is back";
}

TEST_F(KnownProviderTest, what_never_answered_is_asked_every_ten_seconds_at_most) {
  answers_ = false;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(provider_.endpoints().error().message, "nobody is there");
  EXPECT_EQ(asked_, 1);
  clock_.advance(KnownProvider::kPause);
  EXPECT_FALSE(provider_.endpoints());
  EXPECT_EQ(asked_, 2);
}

}  // namespace
}  // namespace rltune::gateway
