#include "id_token.hpp"

#include <gmock/gmock.h>

#include "provider_documents.hpp"
#include "signing_key_of_a_provider.hpp"

namespace rltune::gateway {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr std::int64_t kIdTokenSecond = 1'800'000'000;

class IdToken : public ::testing::Test {
 protected:
  static std::vector<Jwk> keys(const std::vector<json>& shown) {
    return read_key_set(json{{"keys", shown}}.dump()).value_or(std::vector<Jwk>());
  }
  static json claims(const json& more = json::object()) {
    json claims{{"iss", "https://login.example.com"},
                {"aud", "rltune"},
                {"sub", "17"},
                {"iat", kIdTokenSecond - 1},
                {"exp", kIdTokenSecond + 300},
                {"nonce", "n"},
                {"preferred_username", "ada"},
                {"email", "ada@x.y"},
                {"email_verified", true}};
    claims.update(more);
    return claims;
  }
  static json without(const char* name) {
    json left = claims();
    left.erase(name);
    return left;
  }
  static Result<std::string> verify(const std::string& token, std::span<const Jwk> keys,
                                    const std::string& claim = "preferred_username") {
    return verify_id_token(
        token, keys, {.issuer = "https://login.example.com", .client_id = "rltune", .nonce = "n", .user_claim = claim},
        TimePoint(std::chrono::seconds(kIdTokenSecond)));
  }
  static std::string refusal(const json& claims, const std::string& claim = "preferred_username") {
    const auto user = verify(key_.token(claims), keys({key_.jwk()}), claim);
    return user ? "taken: " + *user : user.error().message;
  }

  static inline const ProviderKey key_{"ES256", "a"};
};

TEST_F(IdToken, each_of_the_three_algorithms_is_taken_with_its_own_kind_of_key) {
  for (const char* algorithm : {"RS256", "ES256", "EdDSA"}) {
    const ProviderKey key(algorithm, "k"), other(algorithm, "k");
    EXPECT_EQ(verify(key.token(claims()), keys({key.jwk()})), "ada") << algorithm;
    EXPECT_FALSE(verify(key.token(claims()), keys({other.jwk()}))) << algorithm;
    std::string token = key.token(claims());
    token[token.find('.') + 5] ^= 1;
    EXPECT_FALSE(verify(token, keys({key.jwk()}))) << algorithm;
    for (const char* claimed : {"none", "None", "", "HS256", "RS512", "PS256"})
      EXPECT_THAT(verify(key.token(claims(), {{"alg", claimed}, {"kid", "k"}}), keys({key.jwk()})).error().message,
                  HasSubstr("another algorithm"))
          << algorithm << claimed;
  }
  const ProviderKey ed("EdDSA", "k");
  EXPECT_EQ(verify(ed.token(claims(), {{"alg", "Ed25519"}, {"kid", "k"}}), keys({ed.jwk()})), "ada") << "RFC 9864";
}

TEST_F(IdToken, a_token_cannot_choose_how_a_key_is_used) {
  const ProviderKey rsa("RS256", "a");
  EXPECT_FALSE(verify(key_.token(claims(), {{"alg", "RS256"}, {"kid", "a"}}), keys({key_.jwk()})));
  EXPECT_FALSE(verify(rsa.token(claims(), {{"alg", "ES256"}, {"kid", "a"}}), keys({rsa.jwk(), key_.jwk()})));
  EXPECT_EQ(verify(rsa.token(claims()), keys({rsa.jwk(), key_.jwk()})), "ada") << "two kinds, one id";
}

TEST_F(IdToken, the_key_is_the_one_that_is_named_or_the_only_one) {
  const ProviderKey other("ES256", "b");
  EXPECT_EQ(verify(key_.token(claims(), {{"alg", "ES256"}}), keys({key_.jwk()})), "ada");
  EXPECT_EQ(verify(key_.token(claims(), {{"alg", "ES256"}}), keys({key_.jwk(), other.jwk()})).error().code,
            Errc::denied);
  EXPECT_EQ(verify(key_.token(claims()), keys({other.jwk()})).error().code, Errc::not_found) << "it may be a new one";
  EXPECT_FALSE(verify(key_.token(claims(), {{"alg", "ES256"}, {"kid", 7}}), keys({key_.jwk()})));
  EXPECT_FALSE(verify(key_.token(claims(), {{"alg", "ES256"}, {"kid", "a"}, {"crit", {"exp"}}}), keys({key_.jwk()})));
}

TEST_F(IdToken, it_is_from_the_provider_for_us_and_of_this_attempt) {
  EXPECT_EQ(refusal(claims()), "taken: ada");
  EXPECT_THAT(refusal(claims({{"iss", "https://login.example.com/"}})), HasSubstr("issued by another"));
  EXPECT_THAT(refusal(without("iss")), HasSubstr("issued by another"));
  EXPECT_THAT(refusal(claims({{"nonce", "m"}})), HasSubstr("another attempt"));
  EXPECT_THAT(refusal(without("nonce")), HasSubstr("another attempt"));
  for (const json& audience :
       {json("other"), json(7), json(), json::array(), json({"other"}), json({"rltune", "other"})})
    EXPECT_THAT(refusal(claims({{"aud", audience}})), HasSubstr("for another")) << audience;
  EXPECT_THAT(refusal(without("aud")), HasSubstr("for another"));
  EXPECT_EQ(refusal(claims({{"aud", {"rltune"}}})), "taken: ada");
  EXPECT_EQ(refusal(claims({{"aud", {"rltune", "other"}}, {"azp", "rltune"}})), "taken: ada");
  EXPECT_THAT(refusal(claims({{"azp", "other"}})), HasSubstr("for another"));
}

TEST_F(IdToken, it_is_good_now_but_for_half_a_minute_between_the_clocks) {
  EXPECT_EQ(refusal(claims({{"exp", kIdTokenSecond - 29}})), "taken: ada");
  EXPECT_THAT(refusal(claims({{"exp", kIdTokenSecond - 30}})), HasSubstr("has ended"));
  EXPECT_EQ(refusal(claims({{"iat", kIdTokenSecond + 30}})), "taken: ada");
  EXPECT_THAT(refusal(claims({{"iat", kIdTokenSecond + 31}})), HasSubstr("in the future"));
  EXPECT_THAT(refusal(claims({{"nbf", kIdTokenSecond + 31}})), HasSubstr("not good yet"));
  for (const json& time : {json("soon"), json(-1), json(1e300), json(), json(true)}) {
    EXPECT_THAT(refusal(claims({{"exp", time}})), HasSubstr("does not say when")) << time;
    EXPECT_THAT(refusal(claims({{"iat", time}})), HasSubstr("does not say when")) << time;
    EXPECT_THAT(refusal(claims({{"nbf", time}})), HasSubstr("not good yet")) << time;
  }
}

TEST_F(IdToken, the_name_is_a_text_and_an_address_was_verified) {
  for (const json& name : {json(), json(7), json(""), json(std::string(65, 'a')), json::array({"ada"})})
    EXPECT_THAT(refusal(claims({{"preferred_username", name}})), HasSubstr("holds no name")) << name;
  EXPECT_EQ(refusal(claims(), "email"), "taken: ada@x.y");
  EXPECT_THAT(refusal(claims({{"email_verified", false}}), "email"), HasSubstr("not verified"));
  EXPECT_THAT(refusal(claims({{"email_verified", "false"}}), "email"), HasSubstr("not verified"));
}

TEST_F(IdToken, what_is_no_token_is_refused) {
  const auto set = keys({key_.jwk()});
  const std::string token = key_.token(claims());
  for (const std::string& odd : {std::string(), std::string("a.b"), std::string("..."), token + ".x", token + "=",
                                 token.substr(0, token.rfind('.') + 1), std::string(kIdTokenBytesMax + 1, 'a')})
    EXPECT_FALSE(verify(odd, set)) << odd.substr(0, 40);
  EXPECT_FALSE(user_in_claims(R"({"iss":"a","iss":"a"})", {}, TimePoint())) << "a name that stands twice";
}

TEST(ProviderDocuments, of_a_key_set_what_is_weak_odd_or_for_something_else_is_passed_by) {
  const auto count = [](const json& keys) {
    const auto read = read_key_set(json{{"keys", keys}}.dump());
    return read ? read->size() : 0U;
  };
  const json good = ProviderKey("ES256", "a").jwk(), rsa = ProviderKey("RS256", "b").jwk();
  const auto with = [](json key, const json& more) {
    key.update(more);
    return key;
  };
  EXPECT_EQ(count({good, rsa, {{"kty", "oct"}, {"k", "AAAA"}}, 7, nullptr}), 2U);
  EXPECT_EQ(count({ProviderKey("RS256", "weak", 1024).jwk()}), 0U);
  EXPECT_EQ(count({with(good, {{"use", "enc"}})}), 0U);
  EXPECT_EQ(count({with(good, {{"alg", "ES512"}})}), 0U);
  EXPECT_EQ(count({with(good, {{"crv", "P-384"}})}), 0U);
  EXPECT_EQ(count({with(good, {{"x", good["y"]}})}), 0U) << "no point of the curve";
  EXPECT_EQ(count({with(rsa, {{"e", "AQ"}})}), 0U) << "an exponent of one signs everything";
  EXPECT_EQ(count({with(rsa, {{"n", "!"}})}), 0U);
  EXPECT_EQ(count(json(65, good)), 0U) << "too many";
  EXPECT_FALSE(read_key_set("[]"));
  EXPECT_FALSE(read_key_set(R"({"keys":{}})"));
  EXPECT_FALSE(read_key_set(std::string(kProviderBytesMax + 1, ' ')));
}

TEST(ProviderDocuments, a_description_is_of_that_issuer_and_leads_to_https_alone) {
  const json good{{"issuer", "https://a"},
                  {"authorization_endpoint", "https://a/auth"},
                  {"token_endpoint", "https://a/token"},
                  {"jwks_uri", "https://a/keys"}};
  const auto read = [&](const json& more) {
    json document = good;
    document.update(more);
    return read_discovery(document.dump(), "https://a");
  };
  ASSERT_TRUE(read(json::object()));
  EXPECT_EQ(read(json::object())->token, "https://a/token");
  EXPECT_EQ(read({{"issuer", "https://b"}}).error().code, Errc::mismatch);
  for (const char* name : {"authorization_endpoint", "token_endpoint", "jwks_uri"})
    for (const json& url : {json("http://a/x"), json("https://a/ x"), json("https://a/\r\nSet-Cookie: a=b"), json(7),
                            json(), json("https://a/#x"), json("https://" + std::string(1000, 'a'))})
      EXPECT_FALSE(read({{name, url}})) << name << url;
  EXPECT_FALSE(read(json::object())->secret_in_body);
  EXPECT_TRUE(read({{"token_endpoint_auth_methods_supported", {"client_secret_post"}}})->secret_in_body);
  EXPECT_TRUE(read({{"authorization_response_iss_parameter_supported", true}})->names_issuer);
  EXPECT_EQ(read_id_token(R"({"id_token":"a.b.c","expires_in":5})"), "a.b.c");
  for (const char* odd : {"", "{}", "[]", R"({"id_token":7})"}) EXPECT_FALSE(read_id_token(odd)) << odd;
}

TEST_F(IdToken, how_strongly_somebody_was_signed_in_is_asked_for_where_the_site_wants_it) {
  const auto verdict = [](const json& more, const std::vector<std::string>& acr, const std::vector<std::string>& amr) {
    const auto user = user_in_claims(claims(more).dump(),
                                     {.issuer = "https://login.example.com",
                                      .client_id = "rltune",
                                      .nonce = "n",
                                      .user_claim = "preferred_username",
                                      .required_acr = acr,
                                      .required_amr = amr},
                                     TimePoint(std::chrono::seconds(kIdTokenSecond)));
    return user ? "taken: " + *user : user.error().message;
  };
  const json strong{{"acr", "gold"}, {"amr", {"pwd", "otp"}}};
  EXPECT_EQ(verdict(strong, {}, {}), "taken: ada");
  EXPECT_EQ(verdict(strong, {"silver", "gold"}, {"otp"}), "taken: ada");
  EXPECT_THAT(verdict(strong, {"platinum"}, {}), HasSubstr("acr"));
  EXPECT_THAT(verdict(strong, {}, {"otp", "hwk"}), HasSubstr("'hwk'"));
  for (const json& silent :
       {json::object(), json{{"acr", nullptr}, {"amr", "otp"}}, json{{"acr", {"gold"}}, {"amr", {1}}}}) {
    EXPECT_THAT(verdict(silent, {"gold"}, {}), HasSubstr("acr"));
    EXPECT_THAT(verdict(silent, {}, {"otp"}), HasSubstr("amr"));
  }
}

}  // namespace
}  // namespace rltune::gateway
