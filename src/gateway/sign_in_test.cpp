#include "sign_in.hpp"

#include <gmock/gmock.h>

#include "cookies.hpp"
#include "gateway_fixture.hpp"
#include "rltune/access/totp.hpp"

namespace rltune::gateway {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kAccount = "GET /api/v1/account";

class SignInTest : public GatewayTest {
 protected:
  HttpAnswer refresh(const std::string& refresh_token) const {
    return call("POST /api/v1/auth/refresh", {}, json{{"refresh_token", refresh_token}}.dump());
  }
};

TEST_F(SignInTest, a_password_gives_tokens_that_say_who_i_am) {
  const json given = tokens("engineer");
  EXPECT_EQ(given["token_type"], "bearer");
  EXPECT_EQ(given["expires_in"], 3600);
  const HttpAnswer answer = call(kAccount, given["access_token"]);
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json account = json::parse(answer.body);
  EXPECT_EQ(account["user"], "engineer");
  EXPECT_EQ(account["full_name"], "Some engineer");
  EXPECT_EQ(account["role"], "engineer");
  EXPECT_THAT(account["permissions"], Contains("agents.deploy"));
  EXPECT_THAT(account["permissions"], Not(Contains("users.manage")));
  EXPECT_THAT(events(), Contains("sign_in engineer"));
}

TEST_F(SignInTest, what_is_wrong_is_not_said) {
  const HttpAnswer name = login("nobody"), password = login("viewer", "wrong password!!"), service = login("feeder");
  EXPECT_EQ(name.status, 401);
  EXPECT_EQ(password.status, 401);
  EXPECT_EQ(service.status, 401) << "a service has no password";
  const auto detail = [](const HttpAnswer& answer) { return json::parse(answer.body)["detail"]; };
  EXPECT_EQ(detail(name), detail(password));
  EXPECT_EQ(detail(name), detail(service));
  EXPECT_THAT(events(), Contains("sign_in.failed viewer"));
  EXPECT_THAT(events(), Contains("sign_in.failed ")) << "what was typed for a name may be a password";
}

TEST_F(SignInTest, wrong_passwords_in_a_row_lock_the_account_for_a_while) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(login("viewer", "wrong password!!").status, 401) << i;
  const HttpAnswer locked = login("viewer");
  EXPECT_EQ(locked.status, 429) << "the right one as well";
  EXPECT_THAT(locked.head, HasSubstr("Retry-After: 600"));
  EXPECT_EQ(login("operator").status, 200) << "nobody else is locked";
  clock_.advance(10min + 1s);
  EXPECT_EQ(login("viewer").status, 200);
  EXPECT_THAT(events(), Contains("sign_in.locked "));
}

TEST_F(SignInTest, an_access_token_lives_an_hour_and_a_refresh_token_is_good_once) {
  const json first = tokens("viewer");
  clock_.advance(1h + 1min);
  EXPECT_EQ(call(kAccount, first["access_token"]).status, 401);
  const HttpAnswer again = refresh(first["refresh_token"]);
  ASSERT_EQ(again.status, 200) << again.body;
  const json second = json::parse(again.body);
  EXPECT_EQ(call(kAccount, second["access_token"]).status, 200);
  EXPECT_NE(second["refresh_token"], first["refresh_token"]);

  EXPECT_EQ(refresh(first["refresh_token"]).status, 401) << "two have it";
  EXPECT_THAT(events(), Contains("session.reused viewer"));
  EXPECT_EQ(call(kAccount, second["access_token"]).status, 401) << "so the session has ended for both";
  EXPECT_EQ(refresh(second["refresh_token"]).status, 401);
}

TEST_F(SignInTest, what_ended_stays_ended_after_a_start) {
  const json given = tokens("viewer"), other = tokens("operator");
  EXPECT_EQ(call("POST /api/v1/auth/logout", given["access_token"]).status, 204);
  EXPECT_EQ(call(kAccount, given["access_token"]).status, 401);
  start({});
  EXPECT_EQ(call(kAccount, given["access_token"]).status, 401);
  EXPECT_EQ(refresh(given["refresh_token"]).status, 401);
  EXPECT_EQ(call(kAccount, other["access_token"]).status, 200) << "and what did not goes on";
}

TEST_F(SignInTest, an_account_that_is_disabled_or_gone_is_out_at_once) {
  const json viewer = tokens("viewer"), engineer = tokens("engineer");
  std::string users = users_;
  users.replace(users.find("name: viewer"), 12, "name: viewer, enabled: false");
  users.replace(users.find("role: engineer"), 14, "role: viewer");
  write_users(users);
  ASSERT_TRUE(accounts_->turn());
  EXPECT_EQ(call(kAccount, viewer["access_token"]).status, 401);
  EXPECT_EQ(refresh(viewer["refresh_token"]).status, 401);
  EXPECT_EQ(login("viewer").status, 401);
  EXPECT_EQ(call("PUT /api/v1/plant/mode", engineer["access_token"], R"({"mode":"shadow","reason":"x"})").status, 403)
      << "what it may is looked up now, not when it signed in";
}

TEST_F(SignInTest, a_file_of_users_that_cannot_be_used_changes_nothing) {
  const json viewer = tokens("viewer");
  write_users("schema: rltune/users/v1\nusers: [{name: mallory, role: admin");
  accounts_->turn();
  EXPECT_EQ(call(kAccount, viewer["access_token"]).status, 200);
  EXPECT_EQ(login("mallory").status, 401);
}

TEST_F(SignInTest, a_browser_gets_cookies_that_scripts_cannot_read_and_has_to_show_where_it_calls_from) {
  const HttpAnswer given = login("operator", kPassword, {{"cookie", true}});
  ASSERT_EQ(given.status, 200);
  const json told = json::parse(given.body);
  EXPECT_FALSE(told.contains("access_token") || told.contains("refresh_token")) << given.body;
  std::string cookies;
  std::size_t count = 0;
  for (std::size_t at = given.head.find("Set-Cookie: "); at != std::string::npos;
       at = given.head.find("Set-Cookie: ", at + 1), ++count) {
    const std::string cookie = given.head.substr(at + 12, given.head.find("\r\n", at) - at - 12);
    EXPECT_THAT(cookie, HasSubstr("Path=/; Secure; HttpOnly; SameSite=Strict"));
    cookies += (cookies.empty() ? "" : "; ") + cookie.substr(0, cookie.find(';'));
  }
  EXPECT_EQ(count, 2U);
  const std::string sent = "Cookie: " + cookies, body = R"({"mode":"shadow","reason":"x"})";
  EXPECT_EQ(call(kAccount, {}, {}, sent).status, 200);
  EXPECT_EQ(call("PUT /api/v1/plant/mode", {}, body, sent).status, 403);
  EXPECT_EQ(call("PUT /api/v1/plant/mode", {}, body, sent + "\r\nX-CSRF-Token: " + std::string(64, 'a')).status, 403);
  const std::string csrf = "\r\nX-CSRF-Token: " + told["csrf_token"].get<std::string>();
  EXPECT_EQ(call("PUT /api/v1/plant/mode", {}, body, sent + csrf).status, 200);
  const HttpAnswer again = call("POST /api/v1/auth/refresh", {}, "{}", sent);
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_THAT(again.head, HasSubstr("Set-Cookie: " + std::string(kRefreshCookie)));
}

TEST_F(SignInTest, a_service_gets_a_short_token_without_a_session) {
  const auto ask = [&](const std::string& service, const std::string& secret) {
    return call("POST /api/v1/auth/token", {}, json{{"service", service}, {"secret", secret}}.dump());
  };
  const HttpAnswer given = ask("feeder", kPassword);
  ASSERT_EQ(given.status, 200) << given.body;
  const json told = json::parse(given.body);
  EXPECT_EQ(told["expires_in"], 900);
  EXPECT_FALSE(told.contains("refresh_token"));
  EXPECT_EQ(call("GET /api/v1/roles", told["access_token"]).status, 200);
  EXPECT_EQ(call(kAccount, told["access_token"]).status, 403) << "it has no account of a person";
  EXPECT_EQ(call("PUT /api/v1/plant/mode", told["access_token"], R"({"mode":"shadow","reason":"x"})").status, 403);
  EXPECT_EQ(ask("viewer", kPassword).status, 401) << "people sign in";
  EXPECT_EQ(ask("feeder", "a wrong secret").status, 401);
  clock_.advance(15min + 31s);
  EXPECT_EQ(call("GET /api/v1/roles", told["access_token"]).status, 401);
}

TEST_F(SignInTest, a_second_factor_is_asked_for_and_a_code_is_good_once) {
  const std::string secret = access::make_totp_secret();
  ASSERT_TRUE(write_secret_file(folder_.path() / "secrets/totp", secret + "\n"));
  std::string users = users_;
  users.replace(users.find("name: admin"), 11, "name: admin, totp_secret_file: secrets/totp");
  write_users(users);
  ASSERT_TRUE(accounts_->turn());
  const auto code = *access::totp_code(
      secret,
      static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(clock_.now().time_since_epoch()) / 30s));
  EXPECT_THAT(json::parse(login("admin").body)["detail"].get<std::string>(), HasSubstr("second factor"));
  EXPECT_EQ(login("admin", "wrong password!!", {{"code", code}}).status, 401);
  EXPECT_EQ(login("admin", kPassword, {{"code", code}}).status, 200);
  EXPECT_EQ(login("admin", kPassword, {{"code", code}}).status, 401) << "taken already";
  start({.limits = kNoLimits});
  EXPECT_EQ(login("admin", kPassword, {{"code", code}}).status, 401) << "and by the gateway before this one";
}

TEST_F(SignInTest, a_link_chooses_a_password_once) {
  const auto link = links_->make({.purpose = "password", .subject = "viewer"}, 1h, clock_.now());
  ASSERT_TRUE(link);
  const json before = tokens("viewer");
  const auto choose = [&](const std::string& password) {
    return call("POST /api/v1/auth/password", {}, json{{"link", *link}, {"password", password}}.dump());
  };
  EXPECT_EQ(choose("short").status, 422) << "and the link is still good";
  for (const char* guessed : {"password1234", "pilot-rltune-2026", "viewerviewer1"}) {
    const auto refused = choose(guessed);
    EXPECT_EQ(refused.status, 422) << guessed;
    EXPECT_THAT(refused.body, HasSubstr("among the first that are guessed"));
    EXPECT_THAT(refused.body, Not(HasSubstr(guessed)));
  }
  EXPECT_EQ(choose("another long password").status, 204);
  EXPECT_EQ(choose("yet another password").status, 403);
  EXPECT_EQ(login("viewer").status, 401);
  EXPECT_EQ(login("viewer", "another long password").status, 200);
  EXPECT_EQ(call(kAccount, before["access_token"]).status, 401) << "whoever was signed in is out";
  EXPECT_THAT(events(), Contains("password.set viewer"));
}

TEST_F(SignInTest, a_link_for_something_else_chooses_nothing) {
  const auto link = links_->make({.purpose = "invitation", .subject = "viewer"}, 1h, clock_.now());
  const auto gone = links_->make({.purpose = "password", .subject = "mallory"}, 1h, clock_.now());
  for (const auto& shown : {link, gone})
    EXPECT_EQ(
        call("POST /api/v1/auth/password", {}, json{{"link", *shown}, {"password", "another long password"}}.dump())
            .status,
        403);
  EXPECT_EQ(login("viewer").status, 200);
}

TEST_F(SignInTest, i_see_my_sessions_and_end_them_and_nobody_elses) {
  const json here = tokens("viewer");
  clock_.advance(1s);
  const json there = tokens("viewer"), other = tokens("admin");
  const auto sessions = [&](const json& of) {
    return json::parse(
        call("GET /api/v1/account/sessions", of["access_token"], {}, "User-Agent: Test 1").body)["sessions"];
  };
  const json list = sessions(here);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0]["current"], true);
  EXPECT_EQ(list[0]["address"], "127.0.0.1");
  const std::string second = list[1]["id"], others = sessions(other)[0]["id"];
  EXPECT_EQ(call("DELETE /api/v1/account/sessions/" + others, here["access_token"]).status, 404);
  EXPECT_EQ(call("DELETE /api/v1/account/sessions/" + second, here["access_token"]).status, 204);
  EXPECT_EQ(call(kAccount, there["access_token"]).status, 401);
  EXPECT_EQ(call(kAccount, other["access_token"]).status, 200);
}

TEST_F(SignInTest, no_secret_stands_in_what_is_logged) {
  ::testing::internal::CaptureStderr();
  const json given = tokens("viewer");
  login("a password typed as a name", "hunter2hunter2");
  call(kAccount, given["access_token"].get<std::string>() + "x");
  refresh(given["refresh_token"]);
  const std::string logged = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(logged, HasSubstr("\"operation\":\"login\""));
  for (const std::string& secret :
       {given["access_token"].get<std::string>(), given["refresh_token"].get<std::string>(),
        std::string("a password typed"), std::string("hunter2hunter2"), std::string(kPassword)})
    EXPECT_THAT(logged, Not(HasSubstr(secret)));
}

TEST(Cookies, a_value_is_found_among_others_by_its_whole_name) {
  EXPECT_EQ(cookie_value("a=1; __Host-rltune-access=tok.en; b=2", kAccessCookie), "tok.en");
  EXPECT_EQ(cookie_value("x__Host-rltune-access=1; __Host-rltune-access2=3", kAccessCookie), "");
  for (const char* odd : {"", ";", "; ;", "=", "__Host-rltune-access", "__Host-rltune-access;a"})
    EXPECT_EQ(cookie_value(odd, kAccessCookie), "") << odd;
}

}  // namespace
}  // namespace rltune::gateway
