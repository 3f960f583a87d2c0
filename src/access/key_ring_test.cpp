#include "rltune/access/key_ring.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "manual_clock.hpp"
#include "rltune/access/base64url.hpp"
#include "rltune/access/token.hpp"
#include "rltune/base/file.hpp"
#include "signing_key.hpp"
#include "temporary_folder.hpp"

namespace rltune::access {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;

TEST(SigningKey, of_the_standard) {  // RFC 8037, appendix A
  const auto key = SigningKey::from_seed("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->x(), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
  EXPECT_EQ(key->id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  const std::string message = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
  const std::string signature = key->sign(message);
  EXPECT_EQ(to_base64url(signature),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  EXPECT_TRUE(key->verify(message, signature));
  EXPECT_FALSE(key->verify(message + "x", signature));
  EXPECT_FALSE(key->verify(message, signature.substr(1)));
}

TEST(Base64url, has_one_form_of_each_text) {
  EXPECT_EQ(from_base64url("AQI"), "\x01\x02");
  for (const char* text : {"AQJ", "AQI=", "A", "AQ I", "AQ+I", "AQI/"})
    EXPECT_EQ(from_base64url(text), std::nullopt) << text;
}

class KeyRingTest : public ::testing::Test {
 protected:
  void open() {
    ring_.reset();
    auto opened = KeyRing::open({.file = file(), .rotate_every = 720h, .verify_for = 2h}, clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    ring_ = std::move(*opened);
  }
  std::filesystem::path file() const { return folder_.path() / "keys.json"; }
  std::string id_of(KeyState state) const {
    for (const KeyInfo& key : ring_->keys())
      if (key.state == state) return key.id;
    return "none";
  }
  bool published(const std::string& id) const {
    const json keys = json::parse(ring_->jwks())["keys"];
    return std::ranges::any_of(keys, [&](const json& key) { return key["kid"] == id; });
  }
  bool good(const KeyRing::Signed& made, const std::string& id) const {
    return ring_->verify(id, made.message, made.signature);
  }
  KeyRing::Signed sign() const {
    return ring_->sign([](const std::string& id) { return "by " + id; });
  }

  TemporaryFolder folder_;
  ManualClock clock_{parse_rfc3339("2026-01-02T00:00:00Z").value()};
  std::unique_ptr<KeyRing> ring_;
};

TEST_F(KeyRingTest, keys_outlive_a_restart_in_a_file_of_the_owners_alone) {
  open();
  const std::string signing = id_of(KeyState::signing), next = id_of(KeyState::next);
  const auto made = sign();
  EXPECT_EQ(made.message, "by " + signing);
  open();
  EXPECT_EQ(id_of(KeyState::signing), signing);
  EXPECT_EQ(id_of(KeyState::next), next);
  EXPECT_TRUE(good(made, signing));
  EXPECT_FALSE(good(made, next));
  EXPECT_EQ(std::filesystem::status(file()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(KeyRingTest, the_key_that_begins_to_sign_was_published_before) {
  open();
  const std::string first = id_of(KeyState::signing), second = id_of(KeyState::next);
  const auto made = sign();
  EXPECT_TRUE(published(first) && published(second));
  ASSERT_TRUE(ring_->rotate());
  EXPECT_EQ(id_of(KeyState::signing), second);
  EXPECT_TRUE(good(made, first)) << "what the key before has signed is good for a while";
  clock_.advance(2h - 1s);
  EXPECT_EQ(ring_->turn().value(), false);
  EXPECT_TRUE(good(made, first));
  clock_.advance(1s);
  EXPECT_EQ(ring_->turn().value(), true);
  EXPECT_FALSE(good(made, first));
  EXPECT_FALSE(published(first));
}

TEST_F(KeyRingTest, it_rotates_by_itself_when_thirty_days_are_over) {
  open();
  const std::string first = id_of(KeyState::signing);
  clock_.advance(720h - 1s);
  EXPECT_EQ(ring_->turn().value(), false);
  clock_.advance(1s);
  EXPECT_EQ(ring_->turn().value(), true);
  EXPECT_NE(id_of(KeyState::signing), first);
  EXPECT_EQ(ring_->turn().value(), false);
}

TEST_F(KeyRingTest, a_revoked_key_is_good_for_nothing_at_once) {
  open();
  const auto made = sign();
  const std::string first = id_of(KeyState::signing), second = id_of(KeyState::next);
  ASSERT_TRUE(ring_->revoke(first));
  EXPECT_FALSE(good(made, first));
  EXPECT_EQ(id_of(KeyState::signing), second);
  const std::string third = id_of(KeyState::next);
  ASSERT_TRUE(ring_->revoke(third));
  EXPECT_NE(id_of(KeyState::next), third);
  EXPECT_EQ(ring_->revoke("nobody").error().code, Errc::not_found);
  EXPECT_EQ(ring_->keys().size(), 2U);
}

TEST_F(KeyRingTest, a_file_that_others_can_read_or_that_is_damaged_is_an_error) {
  open();
  std::filesystem::permissions(file(), std::filesystem::perms::group_read, std::filesystem::perm_options::add);
  EXPECT_EQ(KeyRing::open({.file = file()}, clock_).error().code, Errc::denied);
  for (const char* text : {"", "{}", R"({"schema":"rltune/signing-keys/v1","keys":[]})", "[1]"}) {
    ASSERT_TRUE(write_secret_file(file(), text));
    const auto opened = KeyRing::open({.file = file()}, clock_);
    ASSERT_FALSE(opened) << text;
    EXPECT_EQ(opened.error().code, Errc::corrupt);
    EXPECT_THAT(opened.error().message, HasSubstr("keys.json"));
  }
}

TEST_F(KeyRingTest, a_disk_that_takes_nothing_changes_no_key) {
  open();
  const std::string first = id_of(KeyState::signing);
  std::filesystem::remove(file());
  std::filesystem::create_directories(file() / "in the way");
  EXPECT_FALSE(ring_->rotate());
  EXPECT_EQ(id_of(KeyState::signing), first);
  EXPECT_TRUE(good(sign(), first));
}

class TokenTest : public KeyRingTest {
 protected:
  void SetUp() override { open(); }
  Claims claims() const {
    return {.issuer = "rltune/pilot",
            .subject = "ada",
            .audience = "pilot",
            .id = "t1",
            .session = "s1",
            .role = "operator",
            .issued = clock_.now(),
            .expires = clock_.now() + 1h};
  }
  Result<Claims> verify(const std::string& token) const {
    return verify_token(token, *ring_, {.issuer = "rltune/pilot", .audience = "pilot"}, clock_.now());
  }
  // With a header and claims as they are given, by the key that signs.
  std::string forged(const json& header, const std::string& payload) const {
    const auto made =
        ring_->sign([&](const std::string&) { return to_base64url(header.dump()) + "." + to_base64url(payload); });
    return made.message + "." + to_base64url(made.signature);
  }
  json header() const { return {{"alg", "EdDSA"}, {"typ", "at+jwt"}, {"kid", id_of(KeyState::signing)}}; }
  std::string payload() const { return from_base64url(token_part(1)).value(); }
  std::string token_part(int index) const {
    std::string rest = make_token(claims(), *ring_);
    for (; index > 0; --index) rest = rest.substr(rest.find('.') + 1);
    return rest.substr(0, rest.find('.'));
  }
};

TEST_F(TokenTest, says_what_was_put_into_it) {
  const auto verified = verify(make_token(claims(), *ring_));
  ASSERT_TRUE(verified) << verified.error().message;
  EXPECT_EQ(*verified, claims());
}

TEST_F(TokenTest, a_changed_byte_anywhere_makes_it_wrong) {
  const std::string token = make_token(claims(), *ring_);
  for (std::size_t i = 0; i < token.size(); ++i)
    for (const char other : {'A', 'b', '9', '-', '.', '\0', '='}) {
      std::string changed = token;
      if (changed[i] == other) continue;
      changed[i] = other;
      EXPECT_FALSE(verify(changed)) << i;
    }
  for (std::size_t i = 0; i < token.size(); ++i) EXPECT_FALSE(verify(token.substr(0, i))) << i;
  EXPECT_FALSE(verify(token + "A"));
  EXPECT_FALSE(verify(std::string(100'000, 'a')));
}

TEST_F(TokenTest, no_other_algorithm_type_or_key_is_heard) {
  EXPECT_TRUE(verify(forged(header(), payload()))) << "the forger is good enough";
  for (const auto& [name, value] : {std::pair{"alg", json("none")},
                                    {"alg", json("HS256")},
                                    {"alg", json("EdDSA ")},
                                    {"typ", json("JWT")},
                                    {"kid", json(id_of(KeyState::next))},
                                    {"kid", json(7)},
                                    {"kid", json("")},
                                    {"crit", json::array({"exp"})},
                                    {"jwk", json::object()}}) {
    json changed = header();
    changed[name] = value;
    EXPECT_FALSE(verify(forged(changed, payload()))) << changed;
  }
}

TEST_F(TokenTest, claims_that_are_missing_of_another_type_or_twice_are_refused) {
  const json claims = json::parse(payload());
  for (const auto& [name, value] : claims.items()) {
    json without = claims;
    without.erase(name);
    EXPECT_FALSE(verify(forged(header(), without.dump()))) << name;
    json other = claims;
    other[name] = json::array();
    EXPECT_FALSE(verify(forged(header(), other.dump()))) << name;
  }
  std::string twice = payload();
  twice.insert(1, R"("role":"viewer",)");
  EXPECT_FALSE(verify(forged(header(), twice)));
  for (const char* text : {"", "[]", "null", "{", "{}", "\xff"}) EXPECT_FALSE(verify(forged(header(), text)));
  json far = claims;
  far["exp"] = 1'000'000'000'000;
  EXPECT_FALSE(verify(forged(header(), far.dump())));
}

TEST_F(TokenTest, is_good_for_its_time_its_issuer_and_its_audience) {
  const std::string token = make_token(claims(), *ring_);
  clock_.advance(1h + 29s);
  EXPECT_TRUE(verify(token)) << "within the leeway";
  clock_.advance(1s);
  EXPECT_THAT(verify(token).error().message, HasSubstr("has ended"));
  Claims changed = claims();
  changed.issued += 31s;
  EXPECT_THAT(verify(make_token(changed, *ring_)).error().message, HasSubstr("future"));
  changed = claims();
  changed.issuer = "another";
  EXPECT_THAT(verify(make_token(changed, *ring_)).error().message, HasSubstr("another has issued it"));
  changed = claims();
  changed.audience = "another";
  EXPECT_THAT(verify(make_token(changed, *ring_)).error().message, HasSubstr("for another"));
}

TEST_F(TokenTest, a_rotation_makes_none_of_them_wrong) {
  std::atomic<bool> ends = false;
  std::atomic<int> refused = 0, verified = 0;
  std::vector<std::jthread> callers;
  for (int i = 0; i < 2; ++i)
    callers.emplace_back([&] {
      while (!ends) {
        verify(make_token(claims(), *ring_)) ? ++verified : ++refused;
      }
    });
  for (int i = 0; i < 20; ++i) {
    const int before = verified;
    ASSERT_TRUE(ring_->rotate());
    while (verified + refused < before + 10) std::this_thread::yield();
  }
  ends = true;
  callers.clear();
  EXPECT_EQ(refused, 0);
  EXPECT_GE(verified, 200);
}

}  // namespace
}  // namespace rltune::access
