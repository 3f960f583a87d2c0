#include "rltune/webserver/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "http_exchange.hpp"
#include "temporary_folder.hpp"

namespace rltune::webserver {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// One server a process.
class ServerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::vector<Route> routes{
        {"POST", "/v1/echo",
         [](const Request& request, const Reply& reply) {
           reply({.status = 202, .body = std::string(request.body), .type = "text/plain"});
         }},
        {"GET", "/v1/things/{}/parts/{}",
         [](const Request& request, const Reply& reply) {
           reply({.body =
                      nlohmann::json{
                          {"parts", request.parts}, {"query", request.query}, {"seen", request.headers.at("x-seen")}}
                          .dump()});
         }},
        {"PUT", "/v1/echo", [](const Request&, const Reply& reply) { reply({.body = "put"}); }},
        {"POST", "/v1/later",
         [](const Request& request, Reply reply) {
           std::thread([body = request.body, reply = std::move(reply)] {
             reply({.body = std::string(body)});
           }).detach();
         }},
        {"POST", "/v1/fails", [](const Request&, const Reply&) { throw std::runtime_error("a bug"); }}};
    auto server = Server::start({.scratch = folder_.path() / "scratch", .body_bytes_max = 100'000}, std::move(routes));
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::make_unique<Server>(std::move(*server));
  }
  static void TearDownTestSuite() { server_.reset(); }

  static HttpAnswer ask(const std::string& head, const std::string& body = {}) {
    return http_exchange(server_->port(), head, body);
  }

  static inline TemporaryFolder folder_;
  static inline std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, a_handler_sees_the_body_and_answers) {
  const auto answer = ask("POST /v1/echo", std::string("hello\n\0there", 12));
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.body, std::string("hello\n\0there", 12));
  EXPECT_THAT(answer.head, HasSubstr("text/plain"));
}

TEST_F(ServerTest, parts_of_the_path_and_the_query_are_decoded) {
  const auto answer = ask("GET /v1/things/a.b/parts/7?text=two%20words&empty=\nX-Seen: yes");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto said = nlohmann::json::parse(answer.body);
  EXPECT_EQ(said["parts"], (std::vector<std::string>{"a.b", "7"}));
  EXPECT_EQ(said["query"]["text"], "two words");
  EXPECT_EQ(said["seen"], "yes");
}

TEST_F(ServerTest, each_method_of_a_path_has_its_own_handler) {
  EXPECT_EQ(ask("PUT /v1/echo", "x").body, "put");
  EXPECT_EQ(ask("POST /v1/echo", "x").body, "x");
}

TEST_F(ServerTest, a_reply_may_come_later_and_the_body_stays_until_then) {
  const std::string body(50'000, 'x');
  EXPECT_EQ(ask("POST /v1/later", body).body, body);
}

TEST_F(ServerTest, what_nobody_serves_is_a_problem_document) {
  for (const auto& [head, status] : std::map<std::string, int>{{"GET /nowhere", 404},
                                                               {"GET /v1/echo", 405},
                                                               {"GET /v1/things/a/b/parts/7", 404},
                                                               {"GET /v1/echo/x", 404}}) {
    const auto answer = ask(head);
    EXPECT_EQ(answer.status, status) << head;
    EXPECT_THAT(answer.head, HasSubstr("application/problem+json")) << head;
    EXPECT_EQ(nlohmann::json::parse(answer.body)["status"], status) << head;
  }
}

TEST_F(ServerTest, a_handler_that_fails_costs_its_own_request_alone) {
  EXPECT_EQ(ask("POST /v1/fails", "x").status, 500);
  EXPECT_EQ(ask("POST /v1/echo", "x").status, 202);
}

TEST_F(ServerTest, too_large_a_body_is_refused) {
  EXPECT_EQ(ask("POST /v1/echo", std::string(200'000, 'x')).status, 413);
}

TEST_F(ServerTest, a_certificate_is_refused_where_the_library_has_no_tls) {
  // Of Debian 13. Where this fails, the library has it, and TLS can be served.
  const auto second = Server::start({.scratch = folder_.path() / "other", .certificate_file = "cert.pem"}, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::unsupported);
}

TEST_F(ServerTest, a_port_that_is_taken_is_an_error_with_its_address) {
  const auto second = Server::start({.port = server_->port(), .scratch = folder_.path() / "other"}, {});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr(std::to_string(server_->port())));
}

}  // namespace
}  // namespace rltune::webserver
