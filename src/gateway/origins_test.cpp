#include "origins.hpp"

#include <gmock/gmock.h>

#include "gateway_fixture.hpp"
#include "raw_connection.hpp"

namespace rltune::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPanel = "https://panel.example.com";
const std::string kMode = "/api/v1/plant/mode";
constexpr const char* kUpgrade =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

class OriginsTest : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    start({.limits = kNoLimits, .allowed_origins = {kPanel}});
  }
  HttpAnswer preflight(const std::string& origin, const std::string& method, const std::string& path = kMode) const {
    return http_exchange(server_->port(), "OPTIONS " + path + "\nOrigin: " + origin +
                                              "\r\nAccess-Control-Request-Method: " + method +
                                              "\r\nAccess-Control-Request-Headers: authorization,content-type");
  }
};

TEST_F(OriginsTest, a_page_of_a_listed_origin_may_ask_and_call) {
  const HttpAnswer asked = preflight(kPanel, "PUT");
  EXPECT_EQ(asked.status, 204);
  EXPECT_EQ(header_of(asked, "Access-Control-Allow-Origin"), kPanel);
  EXPECT_EQ(header_of(asked, "Access-Control-Allow-Methods"), "GET, PUT") << "as the table of operations has them";
  EXPECT_EQ(header_of(asked, "Access-Control-Allow-Headers"), "Authorization, Content-Type, X-Correlation-Id");
  EXPECT_EQ(header_of(asked, "Access-Control-Max-Age"), "600");
  EXPECT_THAT(header_of(asked, "Vary"), HasSubstr("Origin"));

  const HttpAnswer called = call("GET " + kMode, token("viewer"), {}, std::string("Origin: ") + kPanel);
  EXPECT_EQ(called.status, 200);
  EXPECT_EQ(header_of(called, "Access-Control-Allow-Origin"), kPanel);
  EXPECT_THAT(header_of(called, "Vary"), HasSubstr("Origin"));
  EXPECT_THAT(header_of(called, "Access-Control-Expose-Headers"), HasSubstr("Retry-After"));
  const HttpAnswer refused = call("GET " + kMode, {}, {}, std::string("Origin: ") + kPanel);
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(header_of(refused, "Access-Control-Allow-Origin"), kPanel) << "it may read why it is refused";
}

TEST_F(OriginsTest, no_other_page_may_and_an_origin_is_taken_to_the_letter) {
  const std::string viewer = token("viewer");
  for (const std::string origin :
       {"https://evil.example", "https://panel.example.com.evil.example", "http://panel.example.com", "null", "*",
        "https://panel.example.com:8443", "https://PANEL.example.com", "https://panel.example.com/"}) {
    const HttpAnswer asked = preflight(origin, "PUT");
    EXPECT_EQ(asked.status, 403) << origin;
    EXPECT_EQ(header_of(asked, "Access-Control-Allow-Origin"), "") << origin;
    const HttpAnswer called = call("GET " + kMode, viewer, {}, "Origin: " + origin);
    EXPECT_EQ(header_of(called, "Access-Control-Allow-Origin"), "") << origin;
    EXPECT_THAT(header_of(called, "Vary"), HasSubstr("Origin")) << "a cache must not give it to the listed one";
  }
}

TEST_F(OriginsTest, cookies_never_count_for_another_origin) {
  for (const HttpAnswer& answer :
       {preflight(kPanel, "PUT"), call("GET " + kMode, {}, {}, std::string("Origin: ") + kPanel)})
    EXPECT_THAT(answer.head, Not(HasSubstr("Access-Control-Allow-Credentials")));
}

TEST_F(OriginsTest, only_what_a_path_takes_is_allowed_and_only_where_something_is) {
  EXPECT_EQ(preflight(kPanel, "DELETE").status, 403);
  EXPECT_EQ(preflight(kPanel, "GET, PUT").status, 403);
  EXPECT_EQ(preflight(kPanel, "GET", "/api/v1/nothing").status, 403);
  const HttpAnswer plain = http_exchange(server_->port(), "OPTIONS " + kMode);
  EXPECT_EQ(plain.status, 405) << "no page asks";
  EXPECT_EQ(header_of(plain, "Allow"), "GET, PUT");
}

TEST_F(OriginsTest, without_a_list_nothing_is_said_of_origins) {
  start({.limits = kNoLimits});
  EXPECT_EQ(preflight(kPanel, "PUT").status, 403);
  const HttpAnswer called = call("GET " + kMode, token("viewer"), {}, std::string("Origin: ") + kPanel);
  EXPECT_EQ(called.status, 200);
  EXPECT_THAT(called.head, Not(HasSubstr("Access-Control")));
}

TEST_F(OriginsTest, live_values_go_to_ones_own_pages_and_to_listed_ones_with_a_token) {
  const std::string viewer = token("viewer");
  const auto joins = [&](const std::string& with) {
    const auto answer = webserver::send_plain(
        server_->port(), "GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n" + with + kUpgrade + "\r\n");
    return answer.text.substr(std::min<std::size_t>(answer.text.size(), 9), 3);
  };
  const std::string by_token = "Authorization: Bearer " + viewer + "\r\n";
  EXPECT_EQ(joins(by_token), "101") << "no page at all";
  EXPECT_EQ(joins(by_token + "Origin: https://localhost\r\n"), "101");
  EXPECT_EQ(joins(by_token + "Origin: " + kPanel + "\r\n"), "101");
  EXPECT_EQ(joins(by_token + "Origin: https://evil.example\r\n"), "403");
  const std::string by_cookie = "Cookie: __Host-rltune-access=" + viewer + "\r\n";
  EXPECT_EQ(joins(by_cookie + "Origin: https://localhost\r\n"), "101");
  EXPECT_EQ(joins(by_cookie + "Origin: " + kPanel + "\r\n"), "403");
  EXPECT_EQ(joins(by_cookie), "403");
}

}  // namespace
}  // namespace rltune::gateway
