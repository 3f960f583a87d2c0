#include "rltune/webserver/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "http_exchange.hpp"

namespace rltune::webserver {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class ServerTest : public ::testing::Test {
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
        {"DELETE", "/v1/echo", [](const Request&, const Reply& reply) { reply({.status = 204}); }},
        {"PUT", "/v1/echo", [](const Request&, const Reply& reply) { reply({.body = "put"}); }},
        {"POST", "/v1/later",
         [](const Request& request, Reply reply) {
           std::thread([body = request.body, reply = std::move(reply)] {
             reply({.body = std::string(body)});
           }).detach();
         }},
        {"POST", "/v1/fails", [](const Request&, const Reply&) { throw std::runtime_error("a bug"); }}};
    routes.push_back({"POST", "/v1/forgets", [](const Request&, const Reply&) {}});
    auto server = Server::start({.body_bytes_max = 100'000, .idle_timeout = 1s}, std::move(routes));
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::make_unique<Server>(std::move(*server));
  }
  static void TearDownTestSuite() { server_.reset(); }

  static HttpAnswer ask(const std::string& head, const std::string& body = {}) {
    return http_exchange(server_->port(), head, body);
  }

  static Descriptor connected(std::uint16_t port) {
    Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
    return socket;
  }
  static void said(const Descriptor& socket, const std::string& text) {
    EXPECT_EQ(::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  static int count_of(const std::string& text, const std::string& part) {
    int count = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++count;
    return count;
  }

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

TEST_F(ServerTest, what_no_route_takes_can_be_answered_otherwise) {
  const auto server =
      Server::start({.unrouted =
                         [](const Request& request, Response refusal, const Reply& reply) {
                           if (request.path == "/throws") throw std::runtime_error("a bug");
                           refusal.headers["X-Path"] = request.path;
                           reply(std::move(refusal));
                         }},
                    {{"GET", "/here", [](const Request&, const Reply& reply) { reply({.body = "here"}); }},
                     {"PUT", "/here", [](const Request&, const Reply& reply) { reply({.body = "put"}); }}});
  ASSERT_TRUE(server);
  EXPECT_EQ(http_exchange(server->port(), "GET /here").body, "here");
  const auto nowhere = http_exchange(server->port(), "GET /nowhere?a=1");
  EXPECT_EQ(nowhere.status, 404);
  EXPECT_THAT(nowhere.head, HasSubstr("X-Path: /nowhere\r\n"));
  const auto other = http_exchange(server->port(), "OPTIONS /here");
  EXPECT_EQ(other.status, 405);
  EXPECT_THAT(other.head, HasSubstr("Allow: GET, PUT"));
  EXPECT_THAT(other.head, HasSubstr("X-Path: /here"));
  EXPECT_EQ(http_exchange(server->port(), "GET /throws").status, 500);
}

TEST_F(ServerTest, a_handler_that_fails_costs_its_own_request_alone) {
  EXPECT_EQ(ask("POST /v1/fails", "x").status, 500);
  EXPECT_EQ(ask("POST /v1/echo", "x").status, 202);
}

TEST_F(ServerTest, too_large_a_body_is_refused) {
  EXPECT_EQ(ask("POST /v1/echo", std::string(200'000, 'x')).status, 413);
}

TEST_F(ServerTest, a_reply_that_is_forgotten_is_an_error_for_who_waits) {
  EXPECT_EQ(ask("POST /v1/forgets", "x").status, 500);
}

TEST_F(ServerTest, a_connection_serves_one_request_after_the_other) {
  const Descriptor socket = connected(server_->port());
  const std::string one = "PUT /v1/echo HTTP/1.1\r\nHost: here\r\nContent-Length: 1\r\n\r\nx";
  const std::string last = "GET /v1/echo HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
  said(socket, one + one + last);
  const std::string answers = read_to_end(socket.get(), 5000);
  EXPECT_EQ(count_of(answers, "HTTP/1.1 200 OK"), 2);
  EXPECT_EQ(count_of(answers, "HTTP/1.1 405"), 1);
}

TEST_F(ServerTest, what_has_no_body_says_no_length_and_the_connection_goes_on) {
  const Descriptor socket = connected(server_->port());
  said(socket,
       "DELETE /v1/echo HTTP/1.1\r\nHost: here\r\n\r\n"
       "PUT /v1/echo HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
  const std::string answers = read_to_end(socket.get(), 5000);
  EXPECT_EQ(count_of(answers, "HTTP/1.1 204"), 1);
  EXPECT_EQ(count_of(answers, "HTTP/1.1 200"), 1);
  EXPECT_EQ(count_of(answers, "Content-Length"), 1) << answers;
}

TEST_F(ServerTest, a_body_may_come_in_chunks) {
  const Descriptor socket = connected(server_->port());
  said(socket,
       "POST /v1/echo HTTP/1.1\r\nHost: here\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
       "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_THAT(read_to_end(socket.get(), 5000), ::testing::EndsWith("\r\n\r\nabcde"));
}

TEST_F(ServerTest, who_asks_first_whether_to_send_is_told_to) {
  const Descriptor socket = connected(server_->port());
  said(
      socket,
      "POST /v1/echo HTTP/1.1\r\nHost: here\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  char told[64];
  ASSERT_GT(::recv(socket.get(), told, sizeof told, 0), 0);
  EXPECT_THAT(std::string(told, 25), HasSubstr("100 Continue"));
  said(socket, "hi");
  EXPECT_THAT(read_to_end(socket.get(), 5000), ::testing::EndsWith("\r\n\r\nhi"));
}

TEST_F(ServerTest, what_is_no_request_is_refused_and_the_connection_ends) {
  for (const auto& [text, status] : std::map<std::string, std::string>{
           {"nonsense\r\n\r\n", "400"},
           {"GET /v1/echo HTTP/1.1\r\n\r\n", "400"},
           {"GET * HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n", "400"},
           {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
           {"POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "400"},
           {"POST /v1/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "400"},
           {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", "431"},
           {"GET /v1/things/%zz/parts/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "400"}}) {
    const Descriptor socket = connected(server_->port());
    said(socket, text);
    EXPECT_THAT(read_to_end(socket.get(), 5000), ::testing::StartsWith("HTTP/1.1 " + status)) << text.substr(0, 80);
  }
}

TEST_F(ServerTest, who_takes_too_long_is_closed) {
  const Descriptor socket = connected(server_->port());
  said(socket, "POST /v1/echo HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\nhal");
  EXPECT_EQ(read_to_end(socket.get(), 20'000), "");
  char byte = 0;
  EXPECT_EQ(::recv(socket.get(), &byte, 1, 0), 0);
}

TEST_F(ServerTest, what_all_requests_hold_together_is_bounded) {
  std::promise<Reply> kept;
  const auto server =
      Server::start({.all_bodies_bytes_max = 10'000},
                    {{"POST", "/keep", [&](const Request&, Reply reply) { kept.set_value(std::move(reply)); }}});
  ASSERT_TRUE(server);
  const std::string body(6'000, 'x');
  auto first = std::async(std::launch::async, [&] { return http_exchange(server->port(), "POST /keep", body); });
  Reply reply = kept.get_future().get();
  EXPECT_EQ(http_exchange(server->port(), "POST /keep", body).status, 503);
  reply({.body = "done"});
  EXPECT_EQ(first.get().body, "done");
}

TEST_F(ServerTest, connections_beyond_the_most_are_closed_and_its_places_come_back) {
  const auto server = Server::start(
      {.connections_max = 2}, {{"GET", "/", [](const Request&, const Reply& reply) { reply({.body = "here"}); }}});
  ASSERT_TRUE(server);
  const std::string request = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
  {
    std::vector<Descriptor> held;
    for (int i = 0; i < 2; ++i) {
      held.push_back(connected(server->port()));
      said(held.back(), request);
      char bytes[16];
      ASSERT_GT(::recv(held.back().get(), bytes, sizeof bytes, 0), 0);
    }
    EXPECT_EQ(http_exchange(server->port(), "GET /").status, 0);
  }
  HttpAnswer answer;
  for (const auto end = std::chrono::steady_clock::now() + 10s; answer.status == 0;) {
    ASSERT_LT(std::chrono::steady_clock::now(), end);
    answer = http_exchange(server->port(), "GET /");
  }
  EXPECT_EQ(answer.body, "here");
}

TEST_F(ServerTest, a_reply_that_comes_after_the_servers_end_goes_nowhere) {
  std::promise<Reply> kept;
  auto server = Server::start(
      {.threads = 2}, {{"POST", "/keep", [&](const Request&, Reply reply) { kept.set_value(std::move(reply)); }}});
  ASSERT_TRUE(server);
  auto waits =
      std::async(std::launch::async, [port = server->port()] { return http_exchange(port, "POST /keep", "x"); });
  const Reply reply = kept.get_future().get();
  {
    const Server ends = std::move(*server);
  }
  EXPECT_EQ(waits.get().status, 0);
  reply({.body = "late"});
}

TEST_F(ServerTest, an_address_may_be_of_ipv6) {
  const auto server = Server::start({.address = "::1"}, {});
  if (!server) GTEST_SKIP() << "this host has no IPv6: " << server.error().message;
  EXPECT_GT(server->port(), 0);
}

TEST_F(ServerTest, what_is_no_address_is_an_error) {
  EXPECT_EQ(Server::start({.address = "plant"}, {}).error().code, Errc::invalid_argument);
}

TEST_F(ServerTest, a_port_that_is_taken_is_an_error_with_its_address) {
  const auto second = Server::start({.port = server_->port()}, {});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr(std::to_string(server_->port())));
}

}  // namespace
}  // namespace rltune::webserver
