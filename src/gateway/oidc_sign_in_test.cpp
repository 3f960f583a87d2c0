// Sign-in at a real provider of another project: oidc-provider, over TLS.
#include "oidc_sign_in.hpp"

#include <gmock/gmock.h>

#include "../../../tests/system/child_process.hpp"
#include "certificates.hpp"
#include "command_answer.hpp"
#include "gateway_fixture.hpp"
#include "rltune/http/client.hpp"
#include "rltune/http/url.hpp"

namespace rltune::gateway {
namespace {

using namespace std::chrono_literals;
using rltune::testing::ChildProcess;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kLogin = "GET /api/v1/auth/oidc/login";
constexpr const char* kOwnUrl = "https://localhost:8443";

std::vector<std::string> set_cookies(const HttpAnswer& answer) {
  std::vector<std::string> found;
  for (std::size_t at = answer.head.find("Set-Cookie: "); at != std::string::npos;
       at = answer.head.find("Set-Cookie: ", at + 1))
    found.push_back(answer.head.substr(at + 12, answer.head.find("\r\n", at) - at - 12));
  return found;
}

std::string location(const HttpAnswer& answer) {
  const std::size_t at = answer.head.find("Location: ");
  return at == std::string::npos ? "" : answer.head.substr(at + 10, answer.head.find("\r\n", at) - at - 10);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

class OidcSignInTest : public GatewayTest {
 protected:
  static void SetUpTestSuite() {
    outside_ = std::make_unique<TemporaryFolder>();
    ASSERT_TRUE(rltune::testing::make_certificates(outside_->path()));
    provider_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{"/usr/bin/node", RLTUNE_SOURCE_DIR "/tests/peers/oidc.mjs", "--folder",
                                 outside_->path().string(), "--callback",
                                 std::string(kOwnUrl) + "/api/v1/auth/oidc/callback"},
        (outside_->path() / "provider.log").string());
    const auto line = provider_->read_line(60s);
    ASSERT_TRUE(line) << read_file(outside_->path() / "provider.log").value_or("");
    issuer_ = "https://127.0.0.1:" + std::to_string(json::parse(*line)["port"].get<int>());
  }
  static void TearDownTestSuite() {
    provider_.reset();
    outside_.reset();
  }
  void SetUp() override {
    ASSERT_FALSE(issuer_.empty());
    clock_.jump(WallClock().now() - clock_.now());  // the provider's
    GatewayTest::SetUp();
    ASSERT_TRUE(write_secret_file(folder_.path() / "secrets/client", "a secret of the client\n"));
    ASSERT_EQ(
        run_command("cp '" + ca_file() + "' '" + (folder_.path() / "ca.pem").string() + "'", folder_.path()).status, 0);
    passwords_ = users_;
    follow("RS256");
  }
  void TearDown() override {
    spoil("nothing");
    GatewayTest::TearDown();
  }

  // With that client of the provider, and `more` lines of users.yaml.
  void follow(const std::string& client, const std::string& more = {}) {
    write_users(passwords_ + "oauth:\n  issuer: " + issuer_ + "\n  client_id: " + client +
                "\n  client_secret_file: secrets/client\n  ca_file: ca.pem\n" + more);
    ASSERT_TRUE(accounts_->turn());
    ASSERT_TRUE(accounts_->oauth());
  }
  static std::string ca_file() { return (outside_->path() / "ca.pem").string(); }
  static std::string ask(const std::string& path) {
    http::Client client({.ca_file = ca_file()});
    const auto answer = client.send({.method = "GET", .url = issuer_ + path});
    return answer ? answer->body : answer.error().message;
  }
  static void spoil(const std::string& how) { EXPECT_EQ(ask("/spoil/" + how), how); }

  struct Begun {
    std::string url, cookie;  // where the browser is sent, and what it keeps
  };
  Begun begin() {
    const HttpAnswer answer = call(kLogin);
    EXPECT_EQ(answer.status, 302) << answer.body;
    const auto cookies = set_cookies(answer);
    EXPECT_EQ(cookies.size(), 1U);
    return {location(answer), cookies.empty() ? "" : cookies[0].substr(0, cookies[0].find(';'))};
  }
  // Where the provider sends a browser of that user: "/api/v1/auth/oidc/callback?code=...".
  static std::string visit(const std::string& url, const std::string& user) {
    const std::string whole = user.empty() ? url : url + "&login_hint=" + user,
                      sent = ask("/visit?" + http::percent_encoded(whole));
    EXPECT_THAT(sent, StartsWith(kOwnUrl));
    return sent.starts_with(kOwnUrl) ? sent.substr(std::string(kOwnUrl).size()) : "/";
  }
  HttpAnswer come_back(const std::string& path, const std::string& cookie) const {
    return call("GET " + path, {}, {}, "Cookie: other=1; " + cookie);
  }
  HttpAnswer sign_in(const std::string& user) {
    const Begun begun = begin();
    return come_back(visit(begun.url, user), begun.cookie);
  }

  static inline std::unique_ptr<TemporaryFolder> outside_;
  static inline std::unique_ptr<ChildProcess> provider_;
  static inline std::string issuer_;
  std::string passwords_;
};

TEST_F(OidcSignInTest, who_signs_in_there_is_signed_in_here) {
  for (const char* client : {"RS256", "ES256", "EdDSA"}) {
    follow(client);
    const HttpAnswer answer = sign_in("operator");
    ASSERT_EQ(answer.status, 302) << client << answer.body;
    EXPECT_EQ(location(answer), "/");
    const auto cookies = set_cookies(answer);
    ASSERT_EQ(cookies.size(), 3U);
    EXPECT_THAT(cookies[0], HasSubstr("Path=/; Secure; HttpOnly; SameSite=Strict"));
    EXPECT_THAT(cookies[2], StartsWith("__Host-rltune-attempt=; ")) << "it is used";
    const std::string sent =
        "Cookie: " + cookies[0].substr(0, cookies[0].find(';')) + "; " + cookies[1].substr(0, cookies[1].find(';'));
    EXPECT_EQ(json::parse(call("GET /api/v1/account", {}, {}, sent).body)["user"], "operator");
    EXPECT_EQ(call("PUT /api/v1/plant/mode", {}, R"({"mode":"shadow","reason":"x"})", sent).status, 403) << "CSRF";
    const json renewed = json::parse(call("POST /api/v1/auth/refresh", {}, "{}", sent).body);
    EXPECT_EQ(renewed["token_type"], "cookie") << "from here it gets the token for X-CSRF-Token";
  }
  EXPECT_THAT(events(), Contains("sign_in operator"));
}

TEST_F(OidcSignInTest, the_browser_is_sent_with_all_that_protects_the_attempt) {
  const HttpAnswer answer = call(kLogin);
  EXPECT_THAT(location(answer), StartsWith(issuer_ + "/auth?response_type=code&client_id=RS256&redirect_uri=https%3A"));
  for (const char* part :
       {"&scope=openid%20profile%20email&", "&state=", "&nonce=", "&code_challenge_method=S256", "&code_challenge="})
    EXPECT_THAT(location(answer), HasSubstr(part));
  EXPECT_THAT(set_cookies(answer)[0], HasSubstr("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"));
  follow("RS256", "  public_url: https://plant.example.com\n");
  EXPECT_THAT(location(call(kLogin)), HasSubstr("redirect_uri=https%3A%2F%2Fplant.example.com%2Fapi"));
}

TEST_F(OidcSignInTest, an_attempt_works_once_and_in_its_own_browser) {
  const Begun mine = begin(), other = begin();
  const std::string path = visit(mine.url, "viewer");
  EXPECT_EQ(come_back(path, other.cookie).status, 401) << "somebody else's link signs nobody in";
  EXPECT_EQ(come_back(path, "a=b").status, 401);
  EXPECT_EQ(come_back(replaced(path, "state=", "state=0"), mine.cookie).status, 401);
  EXPECT_EQ(come_back(path, mine.cookie).status, 302);
  const HttpAnswer again = come_back(path, mine.cookie);
  EXPECT_EQ(again.status, 401);
  EXPECT_THAT(set_cookies(again), IsEmpty());
}

TEST_F(OidcSignInTest, an_attempt_lasts_ten_minutes) {
  const Begun begun = begin();
  const std::string path = visit(begun.url, "viewer");
  clock_.advance(10min);
  EXPECT_EQ(come_back(path, begun.cookie).status, 401);
}

TEST_F(OidcSignInTest, who_has_no_account_here_gets_none) {
  for (const char* user : {"mallory", "feeder"}) {
    const HttpAnswer answer = sign_in(user);
    EXPECT_EQ(answer.status, 403) << user << answer.body;
    EXPECT_THAT(answer.head, Not(HasSubstr("rltune-access"))) << user;
  }
  passwords_ = replaced(passwords_, "name: viewer,", "name: viewer, enabled: false,");
  follow("RS256");
  EXPECT_EQ(sign_in("viewer").status, 403);
  EXPECT_THAT(events(), Contains("sign_in.failed "));
  EXPECT_THAT(events(), Contains("sign_in.failed feeder"));
}

TEST_F(OidcSignInTest, a_spoilt_token_signs_nobody_in) {
  for (const char* how : {"none", "hmac", "signature", "claims", "expired", "future", "audience", "issuer", "nonce"}) {
    spoil(how);
    const HttpAnswer answer = sign_in("viewer");
    EXPECT_EQ(answer.status, 401) << how << answer.body;
    EXPECT_THAT(answer.head, Not(HasSubstr("rltune-access"))) << how;
    clock_.advance(4s);  // the address may begin so often
  }
  spoil("nothing");
  EXPECT_EQ(sign_in("viewer").status, 302);
}

TEST_F(OidcSignInTest, a_code_that_was_given_for_something_else_signs_nobody_in) {
  const Begun nonce = begin();
  EXPECT_EQ(come_back(visit(replaced(nonce.url, "nonce=", "nonce=0"), "viewer"), nonce.cookie).status, 401);
  const Begun client = begin();
  EXPECT_EQ(
      come_back(visit(replaced(client.url, "client_id=RS256", "client_id=other"), "viewer"), client.cookie).status,
      401);
  const Begun verifier = begin();
  const Begun stolen = begin();
  const std::string code = visit(stolen.url, "viewer");
  const std::string own = visit(verifier.url, "viewer");
  const auto value = [](const std::string& path, const std::string& name) {
    const std::size_t at = path.find(name) + name.size();
    return path.substr(at, path.find('&', at) - at);
  };
  const std::string injected = replaced(own, value(own, "code="), value(code, "code="));
  EXPECT_EQ(come_back(injected, verifier.cookie).status, 401) << "PKCE: it is of another attempt";
  const Begun mixed = begin();
  EXPECT_EQ(come_back(replaced(visit(mixed.url, "viewer"), "127.0.0.1", "evil.example"), mixed.cookie).status, 401)
      << "RFC 9207";
}

TEST_F(OidcSignInTest, who_gives_up_at_the_provider_is_told) {
  const HttpAnswer answer = sign_in("");
  EXPECT_EQ(answer.status, 401);
  EXPECT_THAT(answer.body, HasSubstr("access_denied"));
  const Begun begun = begin();
  const std::string state = begun.url.substr(begun.url.find("state=") + 6, 64);
  const HttpAnswer odd = come_back("/api/v1/auth/oidc/callback?error=%3Cscript%3E%0d%0aX&state=" + state, begun.cookie);
  EXPECT_EQ(odd.status, 401);
  EXPECT_THAT(odd.body, Not(HasSubstr("script")));
}

TEST_F(OidcSignInTest, who_was_not_signed_in_strongly_enough_there_is_not_signed_in_here) {
  follow("RS256", "  required_acr: [gold]\n  required_amr: [otp]\n");
  EXPECT_THAT(begin().url, HasSubstr("acr_values=gold"));
  EXPECT_EQ(sign_in("operator").status, 401);
  spoil("strong");
  EXPECT_EQ(sign_in("operator").status, 302);
  EXPECT_EQ(login("viewer").status, 200) << "a password is a way of its own";
}

TEST_F(OidcSignInTest, without_a_provider_or_its_certificate_passwords_go_on) {
  EXPECT_EQ(call(kLogin).status, 302);
  write_users(passwords_);
  ASSERT_TRUE(accounts_->turn());
  EXPECT_EQ(call(kLogin).status, 404);
  ASSERT_EQ(run_command("cp '" + (outside_->path() / "other-ca.pem").string() + "' '" +
                            (folder_.path() / "ca.pem").string() + "'",
                        folder_.path())
                .status,
            0);
  follow("RS256", "  user_claim: sub\n");
  const HttpAnswer answer = call(kLogin);
  EXPECT_EQ(answer.status, 502) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("a password still signs in"));
  EXPECT_EQ(login("viewer").status, 200);
}

TEST_F(OidcSignInTest, an_address_asks_the_provider_for_so_much_and_not_more) {
  int refused = 0;
  for (int i = 0; i < 25; ++i) refused += call("GET /api/v1/auth/oidc/callback").status == 429 ? 1 : 0;
  EXPECT_EQ(refused, 5);
  clock_.advance(2s);
  EXPECT_EQ(call(kLogin).status, 302);
  EXPECT_EQ(login("viewer").status, 200);
}

TEST_F(OidcSignInTest, no_secret_of_it_is_logged) {
  ::testing::internal::CaptureStderr();
  const Begun begun = begin();
  const std::string path = visit(begun.url, "viewer");
  come_back(path, begun.cookie);
  spoil("signature");
  sign_in("viewer");
  const std::string logged = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(logged, HasSubstr("oidcCallback"));
  const std::size_t code = path.find("code=") + 5, state = path.find("state=") + 6;
  for (const std::string& secret :
       {path.substr(code, path.find('&', code) - code), path.substr(state, path.find('&', state) - state),
        begun.cookie.substr(begun.cookie.find('=') + 1), std::string("a secret of the client"), std::string("eyJ")})
    EXPECT_THAT(logged, Not(HasSubstr(secret)));
}

}  // namespace
}  // namespace rltune::gateway
