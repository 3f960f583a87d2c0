// Fail closed: each way a connection can be wrong ends in a refusal that names it.
#include "opcua_fixture.hpp"

namespace rltune::plant {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class OpcuaSecurityTest : public OpcuaFixture {
 protected:
  void expect_denied(const std::string& words) {
    const auto error = refusal({tag("Double")});
    EXPECT_STREQ(to_string(error.code), "denied") << error.message;
    EXPECT_THAT(error.message, HasSubstr(words));
  }
};

TEST_F(OpcuaSecurityTest, every_policy_that_is_not_deprecated_works) {
  serve();
  for (const char* policy : {"Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"}) {
    options_.security = policy;
    OpcuaLink link(options_);
    const auto opened = link.open(std::vector{tag("Double")});
    EXPECT_TRUE(opened) << policy << ": " << opened.error().message;
  }
  options_.security = "Basic128Rsa15";
  EXPECT_EQ(refusal({tag("Double")}).code, Errc::invalid_argument);
}

TEST_F(OpcuaSecurityTest, an_untrusted_server_is_refused_until_its_certificate_is_copied) {
  server_options_.identity = make(server_options_.application_uri);
  serve();
  expect_denied("not trusted");
  // What the message says to do, works.
  const auto thumbprint = read_certificate(server_options_.identity.certificate)->thumbprint;
  ASSERT_TRUE(client_pki_->trust(options_.pki / "rejected" / (thumbprint + ".der")));
  OpcuaLink link(options_);
  EXPECT_TRUE(link.open(std::vector{tag("Double")}));
}

// opc-ua-client #212 accepted expired certificates.
TEST_F(OpcuaSecurityTest, an_expired_server_certificate_is_refused_though_trusted) {
  server_options_.identity = make(server_options_.application_uri, WallClock().now() - std::chrono::days(60));
  ASSERT_TRUE(client_pki_->trust_der(server_options_.identity.certificate));
  serve();
  expect_denied("expired");
}

// open62541 #3161: a mismatch of the URI ended in policy None.
TEST_F(OpcuaSecurityTest, a_server_of_another_application_is_refused_though_trusted) {
  serve();
  options_.server_application_uri = "urn:rltune:test:other";
  expect_denied("urn:rltune:test:other");
  options_.server_application_uri = "urn:rltune:test:serve";  // a prefix is not the URI
  expect_denied("urn:rltune:test:server");
  options_.server_application_uri.clear();
  expect_denied("urn:rltune:test:server");
}

TEST_F(OpcuaSecurityTest, a_wrong_password_and_an_unknown_user_are_refused) {
  serve();
  options_.password = "guess";
  expect_denied("'operator'");
  options_.user = "nobody";
  expect_denied("'nobody'");
  options_.user.clear();
  expect_denied("anonymous");
}

TEST_F(OpcuaSecurityTest, a_server_that_does_not_trust_us_is_named_with_our_certificate) {
  server_options_.pki = folder_.path() / "server that trusts nobody";
  serve();
  expect_denied("cert.der");
}

TEST_F(OpcuaSecurityTest, our_own_certificate_is_refused_when_expired) {
  serve();
  const auto old = make(kClientUri, WallClock().now() - std::chrono::days(60));
  ASSERT_TRUE(write_secret_file(options_.pki / "own" / "key.der", old.key));
  ASSERT_TRUE(write_file(options_.pki / "own" / "cert.der", old.certificate));
  expect_denied("expired");
}

TEST_F(OpcuaSecurityTest, none_is_never_fallen_back_to) {
  server_options_.offer_none = true;
  server_options_.allow_anonymous = true;
  serve();
  options_.security = "Aes256_Sha256_RsaPss";
  options_.server_application_uri = "urn:other";
  expect_denied("urn:other");
  options_.security = "None";
  expect_denied("allow_insecure");
}

TEST_F(OpcuaSecurityTest, none_works_where_it_is_allowed_and_only_where_it_is_offered) {
  options_.security = "None";
  options_.allow_insecure = true;
  options_.user.clear();
  options_.pki.clear();
  server_options_.allow_anonymous = true;
  serve();
  expect_denied("it offers");
  server_.reset();
  server_options_.offer_none = true;
  serve();
  OpcuaLink link(options_);
  const auto opened = link.open(std::vector{tag("Double")});
  EXPECT_TRUE(opened) << opened.error().message;
}

TEST_F(OpcuaSecurityTest, a_server_that_comes_back_with_another_certificate_is_refused_and_read_no_more) {
  serve();
  OpcuaLink link(options_);
  ASSERT_TRUE(link.open(std::vector{tag("Double", true)}));
  ASSERT_TRUE(wait_for(link, 0, [](const Sample& s) { return s.quality == Quality::good; }));
  server_.reset();
  server_options_.identity = make(server_options_.application_uri);  // an impostor with the right names
  serve();
  ASSERT_TRUE(wait_for_state(link, LinkState::refused));
  EXPECT_THAT(link.status().reason, HasSubstr("not trusted"));
  std::array<WriteOutcome, 1> outcome;
  EXPECT_FALSE(link.write(std::array{0u}, std::array{1.0}, outcome));
  ASSERT_TRUE(client_pki_->trust_der(server_options_.identity.certificate));
  EXPECT_TRUE(wait_for(link, 0, [](const Sample& s) { return s.quality == Quality::good; }, 8s));
}

}  // namespace
}  // namespace rltune::plant
