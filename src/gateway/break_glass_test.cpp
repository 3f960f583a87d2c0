#include "break_glass.hpp"

#include <gmock/gmock.h>

#include "gateway_fixture.hpp"
#include "rltune/access/secret.hpp"

namespace rltune::gateway {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class BreakGlassTest : public GatewayTest {
 protected:
  HttpAnswer show(const std::string& secret, const json& more = json::object()) const {
    json body{{"secret", secret}, {"reason", "nobody else comes in"}};
    body.update(more);
    return call("POST /api/v1/auth/break-glass", {}, body.dump());
  }
  std::string sealed() const { return access::SealedSecret(folder_.path() / "break-glass").make().value_or(""); }
  int status(const std::string& line, const std::string& token) const { return call(line, token).status; }
};

TEST_F(BreakGlassTest, the_sealed_secret_makes_an_administrator_for_an_hour_and_once) {
  const std::string secret = sealed();
  const HttpAnswer given = show(secret);
  ASSERT_EQ(given.status, 200) << given.body;
  const json told = json::parse(given.body);
  EXPECT_EQ(told["expires_in"], 3600);
  EXPECT_FALSE(told.contains("refresh_token")) << "it cannot be prolonged";
  const std::string token = told["access_token"];
  const json account = json::parse(call("GET /api/v1/account", token).body);
  EXPECT_EQ(account["user"], "break-glass");
  EXPECT_EQ(account["role"], "admin");
  EXPECT_THAT(account["permissions"], Contains("users.manage"));
  EXPECT_EQ(show(secret).status, 401) << "used up";
  clock_.advance(1h - 1s);
  EXPECT_EQ(status("GET /api/v1/roles", token), 200);
  clock_.advance(1s);
  EXPECT_EQ(status("GET /api/v1/roles", token), 401) << "not a second longer, whatever leeway tokens have";
}

TEST_F(BreakGlassTest, it_works_without_users_and_while_everybody_is_locked_out) {
  const std::string secret = sealed();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(login("admin", "wrong password!!").status, 401);
  EXPECT_EQ(login("admin").status, 429);
  std::filesystem::remove(folder_.path() / "users.yaml");
  ASSERT_TRUE(accounts_->turn());
  const HttpAnswer given = show(secret);
  ASSERT_EQ(given.status, 200) << given.body;
  EXPECT_EQ(status("GET /api/v1/account", json::parse(given.body)["access_token"]), 200);
}

TEST_F(BreakGlassTest, everybody_is_told_at_once) {
  const std::string secret = sealed();
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(show("A" + secret.substr(1)).status, 401);
  EXPECT_EQ(show(secret).status, 200);
  EXPECT_THAT(events(), Contains("break_glass.failed "));
  EXPECT_THAT(events(), Contains("break_glass.used break-glass"));
  const std::string logged = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(logged, HasSubstr("\"level\":\"CRITICAL\""));
  EXPECT_THAT(logged, HasSubstr("the break-glass account is in use"));
  EXPECT_THAT(logged, Not(HasSubstr(secret)));
  EXPECT_THAT(logged, Not(HasSubstr("nobody else comes in"))) << "the audit alone keeps why: it is encrypted";
}

TEST_F(BreakGlassTest, without_a_reason_nobody_comes_in_and_nothing_is_used_up) {
  const std::string secret = sealed();
  EXPECT_EQ(show(secret, {{"reason", " "}}).status, 422);
  EXPECT_EQ(show(secret, {{"reason", nullptr}}).status, 422);
  EXPECT_EQ(show(secret).status, 200);
}

TEST_F(BreakGlassTest, guesses_are_few_and_lock_nobody_out) {
  const std::string secret = sealed();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(show(i % 2 == 0 ? "guess" : access::make_secret()).status, 401) << i;
  const HttpAnswer refused = show(secret);
  EXPECT_EQ(refused.status, 429) << "the right one as well, from that address";
  EXPECT_THAT(refused.head, HasSubstr("Retry-After: 12"));
  EXPECT_EQ(login("admin").status, 200) << "passwords count for themselves";
  clock_.advance(12s);
  EXPECT_EQ(show(secret).status, 200);
}

TEST_F(BreakGlassTest, it_ends_by_signing_out_by_a_new_one_and_by_a_restart) {
  const auto begin = [&] { return json::parse(show(sealed()).body)["access_token"].get<std::string>(); };
  const std::string first = begin(), second = begin();
  EXPECT_EQ(status("GET /api/v1/account", first), 401);
  EXPECT_EQ(status("GET /api/v1/account", second), 200);
  EXPECT_EQ(status("POST /api/v1/auth/logout", second), 204);
  EXPECT_EQ(status("GET /api/v1/account", second), 401);
  const std::string third = begin();
  emergency_.end();
  EXPECT_EQ(status("GET /api/v1/account", third), 401);
}

TEST_F(BreakGlassTest, a_browser_gets_a_cookie_and_no_way_to_prolong_it) {
  const HttpAnswer given = show(sealed(), {{"cookie", true}});
  ASSERT_EQ(given.status, 200);
  EXPECT_THAT(given.head, HasSubstr("__Host-rltune-access="));
  EXPECT_THAT(given.head, Not(HasSubstr("__Host-rltune-refresh")));
  const json told = json::parse(given.body);
  EXPECT_EQ(told["token_type"], "cookie");
  EXPECT_FALSE(told.contains("access_token"));
  EXPECT_EQ(told["csrf_token"].get<std::string>().size(), 64U);
}

TEST_F(BreakGlassTest, a_token_of_it_says_nothing_without_its_session) {
  const std::string forged = credentials_->make_access_token(break_glass_account(), "no such session", clock_.now());
  EXPECT_EQ(status("GET /api/v1/account", forged), 401);
  const std::string service = credentials_->make_access_token(break_glass_account(), "", clock_.now());
  EXPECT_EQ(status("GET /api/v1/account", service), 401);
}

}  // namespace
}  // namespace rltune::gateway
